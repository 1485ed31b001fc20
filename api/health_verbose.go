package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"relay/internal/ops"
)

// reconciledLately is how old the latest reconciliation may be; one runs each minute.
const reconciledLately = 5 * time.Minute

// ReconciliationReader reads the result of reconciliations.
type ReconciliationReader interface {
	// Reconciliation is the latest one, and how many rows all of them have repaired; the zero value before the first.
	Reconciliation(ctx context.Context) (ops.Reconciliation, int64, error)
}

// ReconciliationView is the invariant that every row has a final state or a running workflow, as it was last looked at.
type ReconciliationView struct {
	Invariant     string    `json:"invariant" enum:"holds,repaired,unknown" example:"holds" doc:"Whether every row had a final state or a running workflow: it did, those that had not were repaired, or the last check is older than five minutes."`
	At            time.Time `json:"at" example:"2026-01-15T10:15:00Z" doc:"When the latest look at all open rows ended."`
	Checked       int       `json:"checked" example:"12" doc:"Rows in status processing, for more than a minute or after a failed attempt."`
	Disagreed     int       `json:"disagreed" example:"0" doc:"Of those: rows without a running workflow, which were repaired."`
	Reopened      int       `json:"reopened" example:"0" doc:"Of those: pending again, because Temporal had lost their workflow."`
	Cancelled     int       `json:"cancelled" example:"0" doc:"Of those: set to failed (cancelled), because their workflow had been stopped."`
	RepairedInAll int64     `json:"repaired_in_all" example:"3" doc:"Rows that all reconciliations have repaired."`
}

// wantsVerbose reports whether the request has verbose, verbose=1 or verbose=true.
func wantsVerbose(c *gin.Context) bool {
	switch v, asked := c.GetQuery("verbose"); v {
	case "", "1", "true":
		return asked
	}
	return false
}

// reconciliation returns the latest result, or nil if there is none.
func (s *server) reconciliation(ctx context.Context) *ReconciliationView {
	if s.deps.Reconciliations == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r, inAll, err := s.deps.Reconciliations.Reconciliation(ctx)
	if err != nil || r.At.IsZero() {
		return nil
	}
	v := &ReconciliationView{Invariant: "holds", At: r.At.UTC(), Checked: r.Checked, Disagreed: r.Repaired(), Reopened: r.Reopened,
		Cancelled: r.Cancelled, RepairedInAll: inAll}
	switch {
	case time.Since(r.At) > reconciledLately:
		v.Invariant = wordUnknown
	case r.Repaired() > 0:
		v.Invariant = "repaired"
	}
	return v
}

// writeReady writes the response of readiness. Requested details are missing while the database is down and
// before the first reconciliation.
func (s *server) writeReady(c *gin.Context, status int, r report) {
	body := r.object("", nil)
	if wantsVerbose(c) && r.word("database") == wordOK {
		if v := s.reconciliation(c.Request.Context()); v != nil {
			details, _ := json.Marshal(v) // numbers and a time always marshal
			body = r.object("reconciliation", details)
		}
	}
	c.Data(status, "application/json", append(body, '\n'))
}
