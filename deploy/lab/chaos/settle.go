package chaos

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

const (
	// settleBound is the longest time without a change while work remains. The longest legitimate pause is an attempt that
	// was lost with its worker (15 s), then the last backoff, in a Temporal whose storage fails; or the wait for a probe.
	settleBound = 3 * time.Minute
	lookEvery   = 500 * time.Millisecond
)

// settle waits until no work remains: every row final, every destination healthy, every replay ended, no delivery running.
// Then it replays the failed events once, because the destinations are healthy now, and waits again.
func (l *env) settle(ctx context.Context) (Settled, error) {
	begin := time.Now()
	if err := l.rest(ctx); err != nil {
		return Settled{}, err
	}
	s := Settled{After: time.Since(begin)}
	var err error
	if s.Failures, err = l.failures(ctx); err != nil || s.failed() == 0 {
		return s, err
	}
	r, err := l.system.Store.CreateReplay(ctx, ops.Replay{Filter: ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}, Rate: 100, By: "chaos"})
	if err != nil {
		return s, err
	}
	starter := workflows.Starter{Client: l.temporal, TaskQueue: workflows.TaskQueue, Search: &workflows.Search{}}
	// After a failed start, the workers start the workflow: they look for replays without one.
	_ = starter.StartReplay(ctx, r.ID)
	return s, l.rest(ctx)
}

// rest waits until no work remains. The relay itself probes unhealthy destinations.
func (l *env) rest(ctx context.Context) error {
	moved, last := time.Now(), ""
	for {
		open, err := l.open(ctx)
		if err == nil && open == "" {
			return nil
		}
		if open != last {
			moved, last = time.Now(), open
		}
		if time.Since(moved) > settleBound {
			return fmt.Errorf("no change for %v: %s (%w)", settleBound, open, err)
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// open describes the remaining work, "" if there is none.
func (l *env) open(ctx context.Context) (string, error) {
	for _, q := range []struct{ what, query string }{
		{"rows that are not final", "SELECT COUNT(*) FROM marketing_events WHERE status IN ('pending', 'processing')"},
		{"unhealthy destinations", "SELECT COUNT(*) FROM destination_health WHERE unhealthy_since IS NOT NULL"},
		{"running replays", "SELECT COUNT(*) FROM event_replays WHERE ended_at IS NULL AND NOT walked"},
	} {
		if n, err := l.count(ctx, q.query); err != nil || n > 0 {
			return fmt.Sprintf("%d %s", n, q.what), err
		}
	}
	running, err := l.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: "default",
		Query:     "WorkflowType = 'DeliverEvent' AND ExecutionStatus = 'Running'",
	})
	if err != nil || running.GetCount() > 0 {
		return fmt.Sprintf("%d running deliveries", running.GetCount()), err
	}
	return "", nil
}

// failures counts the failed events by the detail of their failure.
func (l *env) failures(ctx context.Context) (map[string]int, error) {
	found, err := l.pool.QueryContext(ctx, `SELECT COALESCE(NULLIF(detail, ''), reason, ''), COUNT(*) FROM marketing_events WHERE status = 'failed' GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	failures := map[string]int{}
	for found.Next() {
		var detail string
		var n int
		if err := found.Scan(&detail, &n); err != nil {
			return nil, err
		}
		failures[detail] = n
	}
	return failures, found.Err()
}

func (l *env) count(ctx context.Context, query string) (int, error) {
	var n int
	err := l.pool.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}
