package activities

import "time"

// Time-outs, retries and sizes of the activities, except those of the limiter (limiter.go). Time-outs and retry policies that
// Temporal enforces are in workflows/options.go.

// Deliver: the database's part in one attempt. With the HTTP exchange they fit into the activity's 15 s.
const (
	loadTimeout     = 1500 * time.Millisecond
	recordTimeout   = 1500 * time.Millisecond
	exchangeTimeout = 10 * time.Second // the HTTP client's own
	completeTimeout = 1500 * time.Millisecond
	completeRetry   = 200 * time.Millisecond
	noteTimeout     = 500 * time.Millisecond // of a write that only informs people

	databaseWait   = 10 * time.Second // before the next attempt while the database is away
	credentialWait = time.Minute      // before the next attempt while the credential does not decrypt

	maxRetryAfter = 24 * time.Hour
)

// First attempts, within a workflow task. With recording, the exchange and completing they fit into 20 s.
const (
	beginTimeout = 2 * time.Second
	// recordBy is until when, after the start of the task, the attempts are recorded, or not made. With recordTimeout it ends before
	// the task may be repeated (5 s).
	recordBy = 2500 * time.Millisecond
	// gatherFor is how long the response of one destination waits for those of the others, to be written with them.
	gatherFor = 20 * time.Millisecond
)

// The lane of first attempts. A workflow task keeps its place in the worker for as long as its destinations take.
const (
	laneInFlight   = 512
	lanePerStore   = 64
	quickResponse  = time.Second // the ninth of ten responses
	responsesKept  = 32          // of a destination
	responsesValid = time.Minute
)

// PollInbox.
const (
	startTimeout = 10 * time.Second
	// releaseTimeout bounds the release of leases by a worker that stops.
	releaseTimeout = 5 * time.Second
	// pollFor is how long one execution polls, before the workflow starts the next.
	pollFor = 10 * time.Minute
	// pollMoves is how long one polls at least, before another worker may take it over that has fewer.
	pollMoves = 5 * time.Second

	// minStarts are in flight while Temporal is slow; more would only queue ahead of other storefronts.
	minStarts = 2
	// maxStarts are in flight while Temporal is fast: more only adds latency.
	maxStarts = 8
	// fastStart is about the time of a start at an idle server, including a distant one.
	fastStart = 30 * time.Millisecond

	probeEvery   = time.Second      // between two looks for probes that are due
	probeTimeout = 10 * time.Second // of one look
)

// Reconcile.
const (
	// reconcilePage is how many workflows one list call asks for: few and large, because list calls are rationed.
	reconcilePage = 500
)

// PurgeEvents.
const (
	purgeBatch  = 200  // events, or entries of the audit, in one transaction
	purgeCounts = 2000 // counts of attempts in one transaction: short rows without others that belong to them
	purgeBudget = 10 * time.Minute
	// purgeRest is the pause after a batch in units of its duration: purging uses at most 20 % of one connection.
	purgeRest    = 4
	minPurgeRest = 5 * time.Millisecond
)

// StepErasure.
const (
	erasePage   = 2000 // events scanned in one transaction
	eraseItems  = 50   // events erased in one step
	eraseBudget = 15 * time.Second
	// minEraseRest is the shortest pause after a page. The pause is as long as the page took: half of the time is left to
	// live traffic.
	minEraseRest = 5 * time.Millisecond
)

// StepReplay and RollUpStats.
const (
	settlePage   = 500
	rollUpBudget = 5 * time.Second
)
