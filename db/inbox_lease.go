package db

import "time"

// A lease that ends more than two minutes ahead means that the database's clock was set back; the row would otherwise wait
// until the clock reaches it. Both conditions are ranges of the claim key, and read it in its order.
//
// The longest lease is shorter than that: a statement has the time at which it began, and may read a lease that was given
// later. Such a lease must not look like one of a clock that was set back.
const (
	longestLease = time.Minute
	freeSQL      = "(claimed_until <= UTC_TIMESTAMP(6) OR claimed_until > UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE)"
	leasedSQL    = "claimed_until > UTC_TIMESTAMP(6) AND claimed_until <= UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE"
)
