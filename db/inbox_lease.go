package db

import "time"

// A lease beyond the longest one means that the database's clock was set back; the row would otherwise wait until the clock
// reaches it. Both conditions are ranges of the claim key, and read it in its order.
const (
	longestLease = 2 * time.Minute
	freeSQL      = "(claimed_until <= UTC_TIMESTAMP(6) OR claimed_until > UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE)"
	leasedSQL    = "claimed_until > UTC_TIMESTAMP(6) AND claimed_until <= UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE"
)
