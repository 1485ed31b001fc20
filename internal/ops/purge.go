package ops

import (
	"time"

	"relay/internal/relay"
)

// Retention is how long things are kept that are over.
type Retention struct {
	Events time.Duration // events that have ended, with their attempts; replays
	Audit  time.Duration // entries of the audit; erasures
}

// Purged counts rows that were taken away because they were old.
type Purged struct {
	Events, Attempts, Audit int64
	// Replays and Erasures are those that have ended.
	Replays, Erasures int64
}

// Plus is both counts together.
func (p Purged) Plus(q Purged) Purged {
	return Purged{Events: p.Events + q.Events, Attempts: p.Attempts + q.Attempts, Audit: p.Audit + q.Audit,
		Replays: p.Replays + q.Replays, Erasures: p.Erasures + q.Erasures}
}

// PurgeCursor is where a batch of purging ended, in the order of (status, time, id). The zero value is the beginning.
type PurgeCursor struct {
	Status relay.Status
	Position
}

// PurgeBatch is what one batch took, and where the next begins; Done says that there is none.
type PurgeBatch struct {
	Purged
	Next PurgeCursor
	Done bool
}
