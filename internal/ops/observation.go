package ops

import (
	"time"

	"relay/internal/relay"
)

// Observation is a snapshot of the database's state for metrics.
type Observation struct {
	Backlogs       []Backlog
	Switches       []SwitchState
	Destinations   []DestinationState
	Stats          []Stat    // of the events received in the last 24 hours
	CountedAt      time.Time // when the newest hour of the stats was counted; zero before the first
	Reconciliation Reconciliation
	Repaired       int64 // rows that all reconciliations have repaired
}

// BacklogBound is the number up to which Backlog counts a storefront's rows.
const BacklogBound = 10_000

// Backlog counts a storefront's open events: Pending ones wait for their delivery to start, the oldest for Oldest; Processing
// ones are being delivered or wait for a retry. Limited reports that no more are started because a destination's limit is used up.
// Held is the age of the oldest event in delivery that waits for a credential that decrypts, or for the database.
// Storefront is empty for direct rows whose code is not resolved yet.
type Backlog struct {
	Storefront          string
	Pending, Processing int
	Oldest              time.Duration
	Limited             bool
	Held                map[relay.WaitsFor]time.Duration
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

// DestinationState is the health of a storefront's destination.
type DestinationState struct {
	Storefront, Destination string
	relay.Health
}

// Stat counts a storefront's events by outcome: received, open, or a final status.
type Stat struct {
	Storefront, Outcome string
	N                   int64
}
