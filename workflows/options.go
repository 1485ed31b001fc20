package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/internal/relay"
)

// Task queues, time-outs, retry policies and sizes of all workflows. What activities bound themselves is in
// activities/options.go.

// TaskQueue is the default of TEMPORAL_TASK_QUEUE, the queue of the deliveries.
const TaskQueue = "relay"

const housekeepingSuffix = "-housekeeping"

// Housekeeping names the task queue of everything but deliveries: the poller, the reconciler, purges, replays, erasures and
// statistics. Sends that occupy every slot of the deliveries' worker do not delay it.
func Housekeeping(queue string) string {
	return queue + housekeepingSuffix
}

func keepsHouse(queue string) bool { return strings.HasSuffix(queue, housekeepingSuffix) }

// Workers.
const (
	// WorkerStopTimeout lets the longest attempt end and be recorded before a worker stops. The SDK's default of 0 would send
	// everything in flight a second time.
	WorkerStopTimeout = 20 * time.Second
	// StickyTimeout is how long a task waits for the worker that has the workflow in its cache. After a crash that worker
	// is gone, and every open delivery would wait for the default of 5 s.
	StickyTimeout = time.Second
)

// DeliverEvent.
const (
	// sendTimeout is one attempt: reading (1.5 s), recording (1.5 s), the HTTP exchange (10 s), completing (1.5 s).
	sendTimeout = 15 * time.Second
	// firstTimeout is the same for the first attempts of an event, at all of its destinations at once.
	firstTimeout = 20 * time.Second
	// taskTimeout bounds how long a step at the database, first attempts, and every open delivery of a worker that was killed, wait
	// before another worker continues. Longer steps extend their task.
	taskTimeout = 5 * time.Second

	// firstWait doubles up to longestWait while the database is away.
	firstWait   = 2 * time.Second
	longestWait = time.Minute

	maxRoutes = 10 // how often the switches may change under one event
)

// sendOptions schedule the attempts at one destination: at once, then after base, 2 × base, 4 × base, ... for the attempts left.
// Every failed attempt names its own delay, so these intervals count only for an attempt that was lost with its worker.
func sendOptions(ctx workflow.Context, target relay.Target, base time.Duration) workflow.Context {
	first := relay.Policy{Base: base}.Delay(target.Made + 1)
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: sendTimeout,
		Summary:             target.Destination,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    first,
			BackoffCoefficient: 2,
			MaximumInterval:    24 * time.Hour,
			MaximumAttempts:    int32(target.Left), //nolint:gosec // a handful
		},
	})
}

// routeOptions are those of the step that resolves the route and usually makes the first attempts.
func routeOptions(ctx workflow.Context, first bool) workflow.Context {
	ctx = dbOptions(ctx, "route")
	if !first {
		return ctx
	}
	o := workflow.GetLocalActivityOptions(ctx)
	o.StartToCloseTimeout, o.Summary = firstTimeout, firstSummary(ctx)
	o.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 1} // they are to be recorded soon after their task begins
	return workflow.WithLocalActivityOptions(ctx, o)
}

// dbOptions are those of a short step at the database. A deadlock or a lost connection is retried at once; untilDone waits
// for the rest with a timer.
func dbOptions(ctx workflow.Context, summary string) workflow.Context {
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

// The queue of starts in the API's process.
const (
	startWorkers     = 16   // starts in flight
	startShare       = 8    // of one storefront: more only adds latency at the server, for the other storefronts, too
	startQueueLength = 2000 // rows that one process accepts to start within their lease
	startTimeout     = 10 * time.Second
)

// PollInbox.
const (
	// pollHeartbeat is the pause in polling after a worker was killed.
	pollHeartbeat = 4 * time.Second
	pollTimeout   = 20 * time.Minute // an execution polls for 10
	pollRounds    = 50               // executions in one history

	MaxPollShards = 32
)

// pollOptions are those of one long execution of PollInbox, which any worker continues.
func pollOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: pollTimeout,
		Summary:             "looks for rows that no process has started",
		HeartbeatTimeout:    pollHeartbeat,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 1,
		},
	})
}

// Reconcile.
const (
	reconcileEvery = time.Minute
	// A reconciliation of 100,000 open rows takes 200 list calls at the ten a second that a server grants.
	reconcileTimeout   = 10 * time.Minute
	reconcileHeartbeat = time.Minute
)

func reconcileOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: reconcileTimeout,
		HeartbeatTimeout:    reconcileHeartbeat,
		Summary:             "compares open rows with workflows",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 3},
	})
}

// PurgeEvents.
const (
	purgeEvery     = time.Hour
	purgeTimeout   = 15 * time.Minute // a round works for 10
	purgeHeartbeat = 2 * time.Minute  // a batch may wait for a lock
	purgeRounds    = 100              // most of a day; a longer first purge continues in the next hour
)

func purgeOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: purgeTimeout,
		HeartbeatTimeout:    purgeHeartbeat,
		Summary:             "deletes what is older than it is kept",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 10 * time.Second, BackoffCoefficient: 2, MaximumAttempts: 5},
	})
}

// RollUpStats.
const rollUpEvery = time.Minute

func rollUpOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: rollUpEvery,
		Summary:             "counts the hours that are open",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 2},
	})
}

// SendNotices.
const (
	notifyEvery   = 15 * time.Second
	composeFor    = 10 * time.Second
	recordFor     = 10 * time.Second
	notifyTimeout = 15 * time.Second // reading, and the HTTP exchange (10 s)
)

func noticeOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: composeFor,
		Summary:             "looks whether there is something to report",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1}, // the next run looks again
	})
}

func sendNoticeOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: notifyTimeout,
		Summary:             "sends a notice",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1}, // the row has the schedule of the attempts
	})
}

// recordNoticeOptions retry until the database is back: until then the notice would count as unsent.
func recordNoticeOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: recordFor,
		Summary:             "records the attempt",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	})
}

// EraseEvents.
const (
	eraseSteps     = 400 // in one history
	eraseFirstWait = time.Second
	eraseLastWait  = 30 * time.Second
)

// eraseOptions retry a step of an erasure until it succeeds.
func eraseOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Minute,
		HeartbeatTimeout:    time.Minute,
		Summary:             "looks for what is to be erased, and erases it",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
}

// ReplayEvents.
const (
	replayEvery      = 2 * time.Second // a step starts what the rate allows in this time
	replaySteps      = 400             // in one history, of some 4,000 events
	replayPausedLook = 5 * time.Minute // between two counts of events that have ended, while paused
	replayDrainFirst = 5 * time.Second // while waiting for the last events to end; doubled each time
	replayDrainMost  = time.Minute
	replayHoldFirst  = 2 * time.Second // while everything left waits for an unhealthy destination; doubled each time
	replayHoldMost   = 30 * time.Second
)

// replayOptions retry a step of a replay until it succeeds.
func replayOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    30 * time.Second,
		Summary:             summary,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
}
