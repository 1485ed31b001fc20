package cmd

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/sdk/worker"

	"relay/activities"
	"relay/api"
	"relay/db"
	"relay/internal/relay"
	"relay/workflows"
)

const (
	superviseEvery = 30 * time.Second // how often a worker makes sure that PollInbox runs
	retryStart     = time.Second      // while Temporal is away

	activitySlots = 2000 // attempts in flight; each holds one connection to a destination, and none to the database
	// workflowSlots and localSlots are equal: a workflow task keeps its slot while its local activity, a step at the database,
	// runs.
	workflowSlots = 1000
	localSlots    = 1000
	pollers       = 10

	// The housekeeping has one poller of the inbox, and a workflow for each schedule, replay and erasure.
	housekeepingSlots   = 50
	housekeepingPollers = 2

	claimPage = 100 // rows of one storefront in one round
	// lease is the time in which a process starts the rows that it has claimed or stored. After it, another process claims the
	// rows of a killed one; a double start is harmless.
	lease = 5 * time.Second
)

// work runs the workers, once Temporal responds, and returns the function that stops them, which waits for attempts in flight. The
// api role has none, but looks after search attributes all the same.
func (s *service) work(ctx context.Context) func() {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the worker ends last, by the returned function
	var all sync.WaitGroup
	all.Go(func() { s.supervise(ctx) })
	if s.worker != nil {
		all.Go(func() {
			s.worker.run(ctx)
			s.attempts.flush(context.WithoutCancel(ctx)) // the last attempts
		})
		all.Go(func() { s.attempts.run(ctx) })
		all.Go(func() { s.live(ctx) })
	}
	return func() {
		stop()
		all.Wait()
	}
}

// newKeeper returns the keeper of this process's workers.
func (s *service) newKeeper() *keeper {
	parts := s.activities() // one limiter and one inbox for all workers that follow one another
	return &keeper{
		make: func(failed func(error)) runnable {
			o := workerOptions(failed)
			deliveries := worker.New(s.temporal.Client, s.cfg.TaskQueue, o)
			workflows.Register(deliveries, parts)
			o.MaxConcurrentActivityExecutionSize, o.MaxConcurrentActivityTaskPollers = housekeepingSlots, housekeepingPollers
			o.MaxConcurrentWorkflowTaskExecutionSize, o.MaxConcurrentWorkflowTaskPollers = housekeepingSlots, housekeepingPollers
			housekeeping := worker.New(s.temporal.Client, workflows.Housekeeping(s.cfg.TaskQueue), o)
			workflows.RegisterHousekeeping(housekeeping, parts)
			return pair{deliveries, housekeeping}
		},
		reach: s.temporal.reach,
		retry: retryStart,
		log:   s.log,
	}
}

// workerOptions returns the options of the worker for deliveries.
func workerOptions(failed func(error)) worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize:      activitySlots,
		MaxConcurrentWorkflowTaskExecutionSize:  workflowSlots,
		MaxConcurrentLocalActivityExecutionSize: localSlots,
		MaxConcurrentActivityTaskPollers:        pollers,
		MaxConcurrentWorkflowTaskPollers:        pollers,
		WorkerStopTimeout:                       workflows.WorkerStopTimeout,
		StickyScheduleToStartTimeout:            workflows.StickyTimeout,
		// The build id shows in the Web UI which release runs a workflow. Versioning stays off: any worker may continue any
		// workflow, which the recorded histories guard.
		DeploymentOptions: worker.DeploymentOptions{Version: worker.WorkerDeploymentVersion{DeploymentName: "relay", BuildID: buildID()}},
		OnFatalError:      failed,
	}
}

// supervise keeps PollInbox running and reads the namespace's search attributes, until ctx ends.
func (s *service) supervise(ctx context.Context) {
	for ctx.Err() == nil {
		wait := superviseEvery
		if err := s.superviseOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("temporal.unavailable", "error", err)
			wait = retryStart
		}
		pause(ctx, wait)
	}
}

func (s *service) superviseOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.temporal.reach(ctx); err != nil {
		return err
	}
	if err := s.search.Detect(ctx, s.temporal, s.cfg.options.Namespace); err != nil {
		s.log.Debug("search_attributes.missing", "error", err)
	}
	if s.role == api.RoleAPI {
		return nil
	}
	starter := s.starter()
	return errors.Join(starter.EnsurePolling(ctx, s.cfg.PollShards), starter.EnsureReconciling(ctx), starter.EnsureRollingUp(ctx),
		starter.EnsurePurging(ctx), starter.EnsureNotifying(ctx, s.cfg.NotifyURL.IsSet()), s.ensureReplays(ctx, starter), s.ensureErasures(ctx, starter))
}

// ensureErasures starts the workflows of erasures that have none.
func (s *service) ensureErasures(ctx context.Context, starter workflows.Starter) error {
	ids, err := s.store.OpenErasures(ctx)
	for _, id := range ids {
		err = errors.Join(err, starter.StartErasure(ctx, id))
	}
	return err
}

// ensureReplays starts the workflows of replays that have none: one that was made while Temporal was away, or terminated.
func (s *service) ensureReplays(ctx context.Context, starter workflows.Starter) error {
	ids, err := s.store.OpenReplays(ctx)
	for _, id := range ids {
		err = errors.Join(err, starter.StartReplay(ctx, id))
	}
	return err
}

func (s *service) activities() *activities.Activities {
	return &activities.Activities{
		Store:          s.store,
		Sender:         s.sender(s.outbound),
		Adapters:       s.adapters,
		Policy:         s.cfg.Policy(),
		Inbox:          inbox{s.store, db.ClaimOptions{Page: claimPage, Cap: s.cfg.MaxInFlight, Lease: lease, Room: s.limits.capacity}},
		Starter:        s.roots(s.deliveries(s.limits.eager)),
		Health:         s.store,
		Recovery:       s.starter(),
		ReconcileStore: s.store,
		Replays:        s.store,
		StatsStore:     s.store,
		Erasures:       s.store,
		Deliveries:     workflows.Executions{Client: s.temporal, Namespace: s.cfg.options.Namespace},
		SwitchLog:      s.store,
		Notices:        s.store,
		Notifier:       s.notifier(),
		NoticeRules:    s.cfg.noticeRules(),
		PurgeStore:     s.store,
		Retention:      s.cfg.retention(),
		Meter:          countingMeter{s.meter(), s.attempts},
		Executions:     workflows.Executions{Client: s.temporal, Namespace: s.cfg.options.Namespace},
		Limiter:        s.limits.limiter,
		Lane:           s.limits.lane,
		PollInterval:   s.cfg.PollInterval,
		PollShards:     s.cfg.PollShards,
		Workers:        func() int { return int(s.limits.workers.Load()) },
		Log:            s.log,
	}
}

// inbox claims with the settings of this process.
type inbox struct {
	*db.Store
	options db.ClaimOptions
}

func (i inbox) Claim(ctx context.Context, shard, of int) ([]relay.PendingDelivery, error) {
	o := i.options
	o.Shard, o.Shards = shard, of
	return i.Store.Claim(ctx, o)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
