package ops

import (
	"time"

	"relay/internal/relay"
)

// Retention is the time for which finished records are kept.
type Retention struct {
	Events time.Duration // events that have ended, with their attempts; replays
	Audit  time.Duration // entries of the audit; erasures
}

// Purged counts rows that were deleted because of their age.
type Purged struct {
	Events, Attempts, Audit int64
	// Replays and Erasures count the records that have ended.
	Replays, Erasures int64
	Counts            int64 // of attempts, by minute, hour or day
}

// Plus adds two counts.
func (p Purged) Plus(q Purged) Purged {
	return Purged{Events: p.Events + q.Events, Attempts: p.Attempts + q.Attempts, Audit: p.Audit + q.Audit,
		Replays: p.Replays + q.Replays, Erasures: p.Erasures + q.Erasures, Counts: p.Counts + q.Counts}
}

// PurgeCursor is the keyset position at which a batch ended, in the order of (status, time, id). The zero value is the beginning.
type PurgeCursor struct {
	Status relay.Status
	Position
}

// PurgeBatch is the result of one batch and the position of the next; Done reports that there is none.
type PurgeBatch struct {
	Purged
	Next PurgeCursor
	Done bool
}
