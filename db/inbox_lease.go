package db

import "time"

// A lease further ahead than the longest belongs to no process: the database's clock went back, and the row would wait until
// it is as late again. Both conditions are ranges of the claim key, and read it in its order.
const (
	longestLease = 2 * time.Minute
	freeSQL      = "(claimed_until <= UTC_TIMESTAMP(6) OR claimed_until > UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE)"
	leasedSQL    = "claimed_until > UTC_TIMESTAMP(6) AND claimed_until <= UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE"
)
