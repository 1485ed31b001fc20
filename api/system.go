package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	tagSystem = "System"

	entityNotice ops.Entity = "notices"
)

// System is what a process knows of itself and of the others. A nil System has no route.
type System struct {
	Version   string
	StartedAt time.Time
	Namespace string
	TaskQueue string
	Settings  []Setting
	Store     SystemStore
	// Temporal asks Temporal; it answers within the time of its context.
	Temporal func(context.Context) ops.TemporalReport
	// TestNotice sends a test notice; nil where NOTIFY_URL is not set.
	TestNotice func(context.Context) relay.Result
}

// SystemStore reads what the database knows of the processes.
type SystemStore interface {
	WorkerProcesses(ctx context.Context) ([]ops.WorkerProcess, error)
	// CountedAt is when the newest hour of the stats was counted; zero before the first.
	CountedAt(ctx context.Context) (time.Time, error)
	NoticeStatus(ctx context.Context) (ops.NoticeStatus, error)
	// RecordAudit adds a line to the audit.
	RecordAudit(ctx context.Context, e ops.AuditEntry) error
}

// Setting is a variable of the environment, as the process read it. A secret has no value.
type Setting struct {
	Name   string `json:"name" example:"POLL_INTERVAL" doc:"The variable."`
	Value  string `json:"value,omitempty" example:"1s" doc:"Its value or default; missing of a secret and of one that is empty."`
	Secret bool   `json:"secret,omitempty" example:"false" doc:"Whether it is a secret."`
	IsSet  bool   `json:"is_set" example:"true" doc:"Whether it has a value."`
}

// SystemView is the state of the relay.
type SystemView struct {
	Version        string              `json:"version" example:"v1.0.0" doc:"The version of this process."`
	Role           Role                `json:"role" enum:"serve,api" example:"serve" doc:"What this process does: serve is api and worker in one."`
	StartedAt      time.Time           `json:"started_at" example:"2026-01-15T10:00:00Z" doc:"When this process started."`
	Checks         map[string]string   `json:"checks" doc:"One word per check of this process, as in /health/ready: ok, down and others."`
	Workers        []WorkerView        `json:"workers" nullable:"false" doc:"The worker processes that showed a sign of life within half a minute."`
	Temporal       TemporalView        `json:"temporal" doc:"What Temporal says."`
	Schedules      []ScheduleView      `json:"schedules" nullable:"false" doc:"What runs again and again."`
	Reconciliation *ReconciliationView `json:"reconciliation,omitempty" doc:"The latest result of the reconciler; missing before the first."`
	CountedAt      *time.Time          `json:"counted_at,omitempty" example:"2026-01-15T10:24:30Z" doc:"When the newest hour of the stats was counted; missing before the first count."`
	Notices        NoticesView         `json:"notices" doc:"The relay's own notices."`
	Settings       []Setting           `json:"settings" nullable:"false" doc:"The settings of this process. Secrets have no value."`
}

// NoticesView is how the relay's own notices fare.
type NoticesView struct {
	Configured bool           `json:"configured" example:"true" doc:"Whether this process has NOTIFY_URL."`
	LastSentAt *time.Time     `json:"last_sent_at,omitempty" example:"2026-01-15T10:05:00Z" doc:"When the latest notice was sent; missing before the first."`
	LastKind   ops.NoticeKind `json:"last_kind,omitempty" example:"destination_unhealthy" doc:"Its kind."`
	Unsent     int            `json:"unsent" example:"0" doc:"Notices that the receiver has not accepted yet. They are repeated."`
	Reason     relay.Reason   `json:"reason,omitempty" example:"network_error" doc:"Why the latest attempt to send one of them failed."`
}

// WorkerView is a worker process.
type WorkerView struct {
	ID     string    `json:"id" example:"relay-7d9f-1" doc:"Its id."`
	SeenAt time.Time `json:"seen_at" example:"2026-01-15T10:25:01Z" doc:"Its latest sign of life."`
}

// TemporalView is Temporal's part.
type TemporalView struct {
	Namespace string       `json:"namespace" example:"default" doc:"The namespace."`
	TaskQueue string       `json:"task_queue" example:"relay" doc:"The task queue of deliveries."`
	Reached   bool         `json:"reached" example:"true" doc:"Whether Temporal answered. Otherwise pollers and schedules are not known."`
	Pollers   []PollerView `json:"pollers" nullable:"false" doc:"The workers that poll the relay's task queues."`
}

// PollerView is a worker that polls a task queue.
type PollerView struct {
	TaskQueue string    `json:"task_queue" example:"relay" doc:"The queue."`
	Kind      string    `json:"kind" enum:"workflow,activity" example:"workflow" doc:"The kind of tasks."`
	Identity  string    `json:"identity" example:"1@relay-7d9f" doc:"Its name at Temporal."`
	SeenAt    time.Time `json:"last_access_at" example:"2026-01-15T10:25:01Z" doc:"When it last asked for a task."`
}

// ScheduleView is a workflow that runs again and again.
type ScheduleView struct {
	ID        string     `json:"id" example:"reconcile" doc:"Its id at Temporal."`
	Paused    bool       `json:"paused" example:"false" doc:"Whether an operator has paused it."`
	LastRunAt *time.Time `json:"last_run_at,omitempty" example:"2026-01-15T10:25:00Z" doc:"Its latest run."`
	NextRunAt *time.Time `json:"next_run_at,omitempty" example:"2026-01-15T10:26:00Z" doc:"Its next run."`
}

type systemOutput struct{ Body SystemView }

func (s *server) systemRoutes() []route {
	if s.deps.System == nil {
		return nil
	}
	return []route{
		{reader, http.MethodGet, "/admin/v1/system", typed(s.system),
			doc{id: "get-system", tag: tagSystem, summary: "Read the state of the relay", errors: badInput,
				text: "Version, checks and settings are those of the process that answers; secrets have no value. Workers, pollers, schedules and notices are everyone's."}},
		{writer, http.MethodPost, "/admin/v1/system/test-notice", typed(s.testNotice),
			doc{id: "test-notice", tag: tagSystem, summary: "Send a test notice", errors: badInput,
				text: "Sends one notice from this process to NOTIFY_URL, at once, and returns the result. It is not repeated, and is in the audit."}},
	}
}

func (s *server) system(ctx context.Context, _ *struct{}) (*systemOutput, error) {
	sys := s.deps.System
	v := SystemView{Version: sys.Version, Role: s.cfg.Role, StartedAt: sys.StartedAt, Settings: sys.Settings, Checks: map[string]string{}, Workers: []WorkerView{},
		Temporal: TemporalView{Namespace: sys.Namespace, TaskQueue: sys.TaskQueue, Pollers: []PollerView{}}, Schedules: []ScheduleView{}}
	for _, c := range s.ready.check(ctx).words {
		v.Checks[c.name] = c.word
	}
	workers, err := sys.Store.WorkerProcesses(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range workers {
		v.Workers = append(v.Workers, WorkerView(w))
	}
	counted, err := sys.Store.CountedAt(ctx)
	if err != nil {
		return nil, err
	}
	v.CountedAt, v.Reconciliation = timeOrNone(counted), s.reconciliation(ctx)
	notices, err := sys.Store.NoticeStatus(ctx)
	if err != nil {
		return nil, err
	}
	v.Notices = NoticesView{Configured: sys.TestNotice != nil, LastSentAt: timeOrNone(notices.LastSent), LastKind: notices.LastKind,
		Unsent: notices.Unsent, Reason: notices.LastReason}
	asking, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	v.addTemporal(sys.Temporal(asking))
	return &systemOutput{v}, nil
}

func (v *SystemView) addTemporal(r ops.TemporalReport) {
	v.Temporal.Reached = r.Reached
	for _, p := range r.Pollers {
		v.Temporal.Pollers = append(v.Temporal.Pollers, PollerView(p))
	}
	for _, s := range r.Schedules {
		v.Schedules = append(v.Schedules, ScheduleView{s.ID, s.Paused, timeOrNone(s.LastRun), timeOrNone(s.NextRun)})
	}
}

// NoticeTestView is the result of a test notice.
type NoticeTestView struct {
	OK      bool         `json:"ok" example:"true" doc:"Whether the receiver accepted it."`
	Message string       `json:"message" example:"the notice was accepted" doc:"The result as text."`
	Reason  relay.Reason `json:"reason,omitempty" example:"not_found" doc:"Why it was not accepted."`
	Status  int          `json:"status,omitempty" example:"200" doc:"The HTTP status; missing without a response."`
}

type noticeTestOutput struct{ Body NoticeTestView }

func (s *server) testNotice(ctx context.Context, _ *struct{}) (*noticeTestOutput, error) {
	if s.deps.System.TestNotice == nil {
		return &noticeTestOutput{NoticeTestView{Message: "NOTIFY_URL is not set for this process"}}, nil
	}
	// Neither the address nor what it responded is in the audit: the address of many receivers is a secret itself.
	if err := s.deps.System.Store.RecordAudit(ctx, entry(ctx, actionTest, entityNotice, 0, "")); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	r := s.deps.System.TestNotice(ctx)
	v := NoticeTestView{OK: r.Outcome == relay.Accepted, Message: "the notice was accepted", Reason: r.Reason, Status: r.Status}
	if !v.OK {
		v.Message = "the notice was not accepted: " + r.Reason.Text()
	}
	return &noticeTestOutput{v}, nil
}
