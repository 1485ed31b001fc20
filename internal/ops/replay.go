package ops

import (
	"slices"
	"time"

	"relay/internal/relay"
)

// ReplayState is the state of a replay.
type ReplayState string

// The states of a replay. A cancelled replay starts no more events; those already started continue.
const (
	ReplayRunning   ReplayState = "running"
	ReplayPaused    ReplayState = "paused"
	ReplayCancelled ReplayState = "cancelled"
	ReplayDone      ReplayState = "done"
)

// Final reports whether a replay of this state starts no more events.
func (s ReplayState) Final() bool { return s == ReplayCancelled || s == ReplayDone }

// DefaultReplayRate leaves room for live traffic; MaxReplayRate guards against typing errors. RecoveryReplayRate
// sends 4,000 events within a backoff of the default; a destination that wants less has limits.
const (
	DefaultReplayRate  = 20
	RecoveryReplayRate = 100
	MaxReplayRate      = 1000
)

// Replay is a request to deliver many events again: failed and skipped ones, or, with Resend, ones that those destinations
// have accepted.
type Replay struct {
	ID        int64
	State     ReplayState
	Filter    Filter
	Resend    []string // destinations that receive accepted events again
	Rate      int      // events a second
	By        string   // the requesting admin
	CreatedAt time.Time
	EndedAt   time.Time // zero until every event that it started has ended

	Matched   int64 // counted when it began
	Started   int64
	Delivered int64
	Failed    int64
	Skipped   int64
	Held      int64 // matches that wait until their destination is healthy
	Walked    bool  // every match has been looked at
}

// ReplayQuery asks for one page of replays, newest first. Zero fields ask for everything.
type ReplayQuery struct {
	States []ReplayState
	Before int64 // the id at which the page before ended; 0 is the newest
	Limit  int
}

// RecoveryLook covers events that were received before a destination's outage and failed during it: in retry, or late because
// Temporal was unavailable. Platforms reject older events.
const RecoveryLook = 72 * time.Hour

// RecoveryReasons are the reasons of events that failed because their destination was unhealthy.
func RecoveryReasons() []relay.Reason {
	return []relay.Reason{relay.ReasonExhausted, relay.ReasonUnhealthy, relay.ReasonUnauthorized}
}

// RecoveryReplay resends the events that failed at a destination during its outage.
func RecoveryReplay(storefront int64, destination string, since time.Time) Replay {
	return Replay{
		Filter: Filter{
			StorefrontID: storefront,
			Statuses:     []relay.Status{relay.StatusFailed},
			Reasons:      RecoveryReasons(),
			Destination:  destination, // an earlier release that runs beside this one does not know FailedAt
			FailedAt:     destination,
			From:         since.Add(-RecoveryLook),
		},
		Rate: RecoveryReplayRate,
		By:   "relay",
	}
}

// InFlight counts events that were started and have not ended.
func (r Replay) InFlight() int64 { return r.Started - r.Delivered - r.Failed - r.Skipped }

// Remaining counts events that were not started, held ones included. Matches that were retried otherwise meanwhile no longer
// count.
func (r Replay) Remaining() int64 {
	switch {
	case r.State.Final():
		return 0
	case r.Walked:
		return r.Held
	}
	return max(0, r.Matched-r.Started)
}

// Statuses from which a replay sets events back.
func (r Replay) Statuses() []relay.Status {
	if len(r.Resend) > 0 {
		return []relay.Status{relay.StatusDelivered, relay.StatusFailed, relay.StatusSkipped}
	}
	return []relay.Status{relay.StatusFailed, relay.StatusSkipped}
}

// Pick returns the effective filter: the replay's own, limited to events that it may reset.
func (r Replay) Pick() Filter {
	f := r.Filter
	allowed := r.Statuses()
	if len(f.Statuses) == 0 {
		f.Statuses = allowed
	}
	f.Statuses = slices.DeleteFunc(slices.Clone(f.Statuses), func(s relay.Status) bool { return !slices.Contains(allowed, s) })
	f.AcceptedBy, f.Kept = r.Resend, true
	return f
}

// ReplayStep is the result of one step of a replay.
type ReplayStep struct {
	Started int  // events set back in this step
	Held    int  // matches found in this step whose destination is unhealthy: they wait
	Walked  bool // nothing is left to start
	Settled int  // events that were seen to have ended
	Replay  Replay
}

// Tally is the number of events of one storefront, destination and reason, as a dry run counts them. TooOld of them would
// be refused at the destination for their age.
type Tally struct {
	StorefrontID   int64
	StorefrontCode string
	Destination    string // "" where no delivery has ended anywhere: the route will decide
	Reason         relay.Reason
	Events         int64
	TooOld         int64
}

// DryRunBound is how many events a dry run reads one by one: the age of each is in its payload.
const DryRunBound = 10_000

// DryRun counts the events that a replay would send. Events may be fewer than the sum of the tallies: one event may have several
// destinations. Of a partial one, the tallies have the oldest DryRunBound events of each status only, and Events counts all.
type DryRun struct {
	Events  int64
	Partial bool
	Tallies []Tally
}
