package ops

import "time"

// Owned is a row that a run has taken. Storefront and Since are where it stands in the order of rows.
type Owned struct {
	ID         int64
	Run        string
	Storefront int64
	Since      time.Time
}

// Fate is what became of the workflow that delivers a row.
type Fate int

// The fates. Gone is closed without having finished its row, unknown, or terminated by the server; Stopped was terminated or
// cancelled by a person.
const (
	FateGone Fate = iota
	FateRunning
	FateStopped
)

// Reconciliation is what one look at all open rows found.
type Reconciliation struct {
	At        time.Time
	Checked   int // rows that said that a run delivers them
	Reopened  int // of these, rows without a workflow, pending again
	Cancelled int // of these, rows whose workflow was stopped by hand, failed now
}

// Repaired is how many rows disagreed with their workflow.
func (r Reconciliation) Repaired() int { return r.Reopened + r.Cancelled }
