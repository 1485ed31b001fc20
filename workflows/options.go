package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/internal/relay"
)

// TaskQueue is the default of TEMPORAL_TASK_QUEUE, the queue of the deliveries.
const TaskQueue = "relay"

const housekeepingSuffix = "-housekeeping"

// Housekeeping names the task queue of everything but deliveries: the poller, the reconciler, purges, replays, erasures and
// statistics. Sends that occupy every slot of the deliveries' worker leave it alone.
func Housekeeping(queue string) string { return queue + housekeepingSuffix }

const (
	// sendTimeout is one try: reading (1.5 s), recording (1.5 s), the HTTP exchange (10 s), completing (1.5 s).
	sendTimeout = 15 * time.Second
	// WorkerStopTimeout lets the longest try end and be recorded before a worker goes. The SDK's default of 0 would send
	// everything in flight a second time.
	WorkerStopTimeout = 20 * time.Second

	// StickyTimeout is how long a task waits for the worker that has the workflow in its cache. After a crash that worker
	// is gone, and the default of 5 s is what every open delivery would wait.
	StickyTimeout = time.Second

	// firstWait doubles up to longestWait while the database is away.
	firstWait   = 2 * time.Second
	longestWait = time.Minute

	maxRoutes = 10 // how often the switches may change under one event

	// taskTimeout is what a step at the database, and every open delivery of a worker that was killed, waits at most before
	// another worker goes on.
	taskTimeout = 5 * time.Second

	// pollHeartbeat is how long nobody polls after a worker was killed.
	pollHeartbeat = 4 * time.Second
	pollTimeout   = 20 * time.Minute // an execution polls for 10
	pollRounds    = 50               // executions in one history
)

// sending is one try after another at one destination: at once, then after base, 2 × base, 4 × base, ... as far as the tries
// left go. Every failed try names its own delay, so the intervals here count only for a try that was lost with its worker.
func sending(ctx workflow.Context, leg relay.Leg, base time.Duration) workflow.Context {
	first := relay.Policy{Base: base}.Delay(leg.Made + 1)
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: sendTimeout,
		Summary:             leg.Destination,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    first,
			BackoffCoefficient: 2,
			MaximumInterval:    24 * time.Hour,
			MaximumAttempts:    int32(leg.Left), //nolint:gosec // a handful
		},
	})
}

// bookkeeping is a short step at the database. A deadlock or a lost connection is tried again at once; what takes longer is
// waited for by a timer (see always).
func bookkeeping(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    200 * time.Millisecond,
			BackoffCoefficient: 2,
			MaximumAttempts:    2,
		},
	})
}

// polling is one long execution of PollInbox, begun again wherever a worker is.
func polling(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: pollTimeout,
		Summary:             "looks for rows that nobody has started",
		HeartbeatTimeout:    pollHeartbeat,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 1,
		},
	})
}
