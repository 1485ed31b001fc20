package ops

import (
	"time"

	"relay/internal/relay"
)

// LiveAttempt is an attempt as a live view shows it: without anything of the event or the request.
type LiveAttempt struct {
	ID, EventID int64
	Storefront  string
	Destination string
	Number      int
	Outcome     relay.Outcome
	Reason      relay.Reason
	Status      int
	Duration    time.Duration
	StartedAt   time.Time
}

// LiveCounts are the present counts of a live view. Pending and Processing are counted as far as CountBound. Oldest is zero where
// nothing is pending, CountedAt before the first count of the stats.
type LiveCounts struct {
	At, CountedAt       time.Time
	Pending, Processing int64
	Oldest              time.Time
	Unhealthy           int64
}

// LiveTotals count the events received in the last 24 hours, and those of them that have failed or have not ended.
type LiveTotals struct{ Received, Failed, Open int64 }

// LiveHealth is a destination that is failing or unhealthy.
type LiveHealth struct {
	Storefront, Destination string
	relay.Health
}
