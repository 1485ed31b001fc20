package cmd

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"relay/api"
)

// runnable is the SDK's worker, as far as it is started and stopped. One that was stopped cannot be started again.
type runnable interface {
	Start() error
	Stop()
}

// pair is the two workers of a process, for the deliveries and for the housekeeping, as one: they start and stop together.
type pair [2]runnable

func (p pair) Start() error {
	for i, w := range p {
		if err := w.Start(); err != nil {
			for _, started := range p[:i] {
				started.Stop()
			}
			return err
		}
	}
	return nil
}

// Stop stops both at the same time, because each waits for its work in flight.
func (p pair) Stop() {
	var all sync.WaitGroup
	for _, w := range p {
		all.Go(w.Stop)
	}
	all.Wait()
}

// keeper keeps a worker running. The SDK stops a worker for good after a few minutes of errors that look final, such as a
// namespace that does not exist; the keeper then starts another.
type keeper struct {
	make  func(failed func(error)) runnable
	reach func(context.Context) error // succeeds once Temporal responds
	retry time.Duration               // between two starts
	log   *slog.Logger

	running atomic.Bool
}

// run ends with ctx, once the attempts in flight have ended.
func (k *keeper) run(ctx context.Context) {
	for ctx.Err() == nil {
		failed := make(chan error, 1)
		w := k.make(func(err error) {
			select {
			case failed <- err:
			default:
			}
		})
		err := k.reach(ctx)
		if err == nil {
			err = w.Start()
		}
		if err != nil {
			k.log.WarnContext(ctx, "worker.start_failed", "error", err)
			pause(ctx, k.retry)
			continue
		}
		k.running.Store(true)
		select {
		case <-ctx.Done():
		case err := <-failed:
			k.log.ErrorContext(ctx, "worker.stopped", "error", err)
		}
		k.running.Store(false)
		w.Stop()
		pause(ctx, k.retry)
	}
}

// check is the keeper's part of /health/ready.
func (k *keeper) check() api.Check {
	return api.Check{
		Name:  "worker",
		About: "Whether this process's Temporal worker runs.",
		Probe: func(context.Context) (string, error) {
			if k.running.Load() {
				return "ok", nil
			}
			return "down", nil
		},
	}
}
