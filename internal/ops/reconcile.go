package ops

import "time"

// HeldRow is a row held by a run. Storefront and Since are its keyset position.
type HeldRow struct {
	ID         int64
	Run        string
	Storefront int64
	Since      time.Time
}

// WorkflowState is the state of the workflow that delivers a row.
type WorkflowState int

// The states. Gone is closed without having finished its row, unknown, or terminated by the server; Stopped was terminated or
// cancelled by a person.
const (
	WorkflowGone WorkflowState = iota
	WorkflowRunning
	WorkflowStopped
)

// Reconciliation is the result of comparing all open rows with Temporal.
type Reconciliation struct {
	At        time.Time
	Checked   int // rows marked as held by a run
	Reopened  int // of these, rows without a workflow, pending again
	Cancelled int // of these, rows whose workflow was stopped by hand, failed now
}

// Repaired returns the number of rows that disagreed with their workflow.
func (r Reconciliation) Repaired() int { return r.Reopened + r.Cancelled }
