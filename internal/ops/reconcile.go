package ops

import "time"

// HeldRow is a row that a run has taken. Storefront and Since are where it stands in the order of rows.
type HeldRow struct {
	ID         int64
	Run        string
	Storefront int64
	Since      time.Time
}

// WorkflowState is what became of the workflow that delivers a row.
type WorkflowState int

// The states. Gone is closed without having finished its row, unknown, or terminated by the server; Stopped was terminated or
// cancelled by a person.
const (
	WorkflowGone WorkflowState = iota
	WorkflowRunning
	WorkflowStopped
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
