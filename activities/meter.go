package activities

import (
	"time"

	"relay/internal/relay"
)

// Meter counts what becomes of events.
type Meter interface {
	// Claimed is told of an event that PollInbox found.
	Claimed(s relay.Start)
	// Attempted is told of a request that was made, and how long the destination took.
	Attempted(storefront, destination string, r relay.Result, took time.Duration)
	// Ended is told how the delivery to a destination ended.
	Ended(storefront, destination string, o relay.Outcome)
	// Finished is told what an event came to.
	Finished(s relay.Status, r relay.Reason)
}
