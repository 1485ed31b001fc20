package ops

import "time"

// WorkerProcess is a process that delivers events, with its latest sign of life.
type WorkerProcess struct {
	ID     string
	SeenAt time.Time
}

// TemporalReport is Temporal's view of the relay's part of a namespace. Reached is false if Temporal does not respond, and the
// rest is then empty.
type TemporalReport struct {
	Reached   bool
	Pollers   []Poller
	Schedules []Schedule
}

// Poller is a worker that polls a task queue.
type Poller struct {
	TaskQueue string
	Kind      string // "workflow" or "activity"
	Identity  string
	SeenAt    time.Time
}

// Schedule is a workflow that runs again and again. LastRun and NextRun are zero where there is none.
type Schedule struct {
	ID               string
	Paused           bool
	LastRun, NextRun time.Time
}
