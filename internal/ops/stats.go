package ops

import (
	"time"

	"relay/internal/relay"
)

// Counts of events or deliveries by how they ended.
type Counts struct {
	Delivered int64
	Failed    map[relay.Reason]int64
	Skipped   map[relay.Reason]int64
}

// Stats are one storefront's counts over a window: the events received in it, by their present state.
type Stats struct {
	StorefrontID   int64
	StorefrontCode string
	Received       int64
	Counts
	Open         int64 // received in the window and not ended
	Destinations map[string]Counts

	// Retrying and OldestPending are of this moment, whatever the window. Retrying counts events that a run holds, up to
	// StatsBound.
	Retrying      int64
	OldestPending time.Time // zero where none is pending
	// Health holds the destinations that failed recently.
	Health map[string]relay.Health
}

// StatsBound is the limit of the live counts in Stats.
const StatsBound = 10_000

// StatsReport holds the stats of the requested storefronts. AsOf is the time when the newest hour was last counted.
type StatsReport struct {
	From, To    time.Time
	AsOf        time.Time
	Storefronts []Stats
	// Unknown are those of events without a known storefront: direct rows whose code is not resolved or unknown, and those of
	// deleted storefronts. It is the zero value if one storefront was requested.
	Unknown Stats
}

// Outcomes that a Stat counts beside the final statuses.
const (
	StatReceived = "received"
	StatOpen     = "open"
)

// Add adds a count: of the events themselves where destination is empty, else of the deliveries there.
func (s *Stats) Add(destination, outcome string, reason relay.Reason, n int64) {
	switch {
	case destination == "" && outcome == StatReceived:
		s.Received += n
	case destination == "" && outcome == StatOpen:
		s.Open += n
	case destination == "":
		s.add(outcome, reason, n)
	default:
		c := s.Destinations[destination]
		if c.Failed == nil {
			c = Counts{Failed: map[relay.Reason]int64{}, Skipped: map[relay.Reason]int64{}}
		}
		c.add(outcome, reason, n)
		s.Destinations[destination] = c
	}
}

func (c *Counts) add(outcome string, reason relay.Reason, n int64) {
	switch relay.Status(outcome) {
	case relay.StatusDelivered:
		c.Delivered += n
	case relay.StatusFailed:
		c.Failed[reason] += n
	case relay.StatusSkipped:
		c.Skipped[reason] += n
	}
}
