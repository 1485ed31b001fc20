package ops

import (
	"time"

	"relay/internal/relay"
)

// Observation is how things stand at one moment, as far as the database knows, for those who watch the relay from outside.
type Observation struct {
	Backlogs       []Backlog
	Switches       []SwitchState
	Destinations   []DestinationState
	Figures        []Figure  // of the events received in the last 24 hours
	CountedAt      time.Time // when the newest hour of the figures was counted; zero before the first
	Reconciliation Reconciliation
	Repaired       int64 // rows that all reconciliations have repaired
}

// BacklogBound is how far Backlog counts a storefront's rows.
const BacklogBound = 10_000

// Backlog is what a storefront has open: Pending waits for its delivery to begin, the oldest for so long; Processing is
// being delivered, or waits for a retry. Limited is true where more is not begun because a destination's limit is used up.
// Storefront is empty for direct rows whose code nobody has looked up yet.
type Backlog struct {
	Storefront          string
	Pending, Processing int
	Oldest              time.Duration
	Limited             bool
}

// The levels of the kill switches.
const (
	LevelStorefront = "storefront"
	LevelSGTM       = "sgtm"
	LevelPlatform   = "platform"
	LevelCredential = "credential"
)

// SwitchState is one kill switch. A platform's has no storefront, a storefront's no destination.
type SwitchState struct {
	Level, Storefront, Destination string
	On                             bool
}

// DestinationState is how a storefront's destination fares.
type DestinationState struct {
	Storefront, Destination string
	relay.Health
}

// Figure counts a storefront's events by what became of them: received, open, or a final status.
type Figure struct {
	Storefront, Outcome string
	N                   int64
}
