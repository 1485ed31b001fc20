package cmd

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeWorker is the SDK's worker: it fails to start while the namespace is away, and calls failed when it is stopped for good.
type fakeWorker struct {
	world  *fakeTemporal
	failed func(error)
}

type fakeTemporal struct {
	mu      sync.Mutex
	away    bool
	polling *fakeWorker
	made    int
	stopped int
}

var errNamespace = errors.New("namespace not found")

func (w *fakeWorker) Start() error {
	w.world.mu.Lock()
	defer w.world.mu.Unlock()
	if w.world.away {
		return errNamespace
	}
	w.world.polling = w
	return nil
}

func (w *fakeWorker) Stop() {
	w.world.mu.Lock()
	defer w.world.mu.Unlock()
	w.world.stopped++
	if w.world.polling == w {
		w.world.polling = nil
	}
}

// fatal is the loss of the namespace for so long that the SDK ends.
func (f *fakeTemporal) fatal() {
	f.mu.Lock()
	w := f.polling
	f.away = true
	f.mu.Unlock()
	w.failed(errNamespace)
	w.failed(errNamespace)
}

func (f *fakeTemporal) back() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = false
}

func TestAWorkerThatTheSDKStoppedIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := &fakeTemporal{}
		k := &keeper{
			make: func(failed func(error)) runnable {
				world.made++
				return pair{&fakeWorker{world: world, failed: failed}, idle{}}
			},
			reach: func(context.Context) error { return nil },
			retry: time.Second,
			log:   slog.New(slog.DiscardHandler),
		}
		word := func() string {
			synctest.Wait()
			w, err := k.check().Probe(t.Context())
			require.NoError(t, err)
			return w
		}
		require.Equal(t, "down", word(), "it has not started")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			k.run(ctx)
			close(ended)
		}()
		require.Equal(t, "ok", word())

		for round := 1; round <= 3; round++ {
			world.fatal()
			time.Sleep(3 * time.Minute)
			require.Equal(t, "down", word())
			world.back()
			time.Sleep(2 * time.Second)
			require.Equal(t, "ok", word())
			require.Equal(t, round, world.stopped, "the one before has ended")
		}
		made := world.made
		stop()
		<-ended
		require.Equal(t, made, world.made)
		require.Nil(t, world.polling)
		require.Equal(t, "down", word())
	})
}

// idle is a worker that only starts and stops.
type idle struct{ log *[]string }

func (i idle) Start() error { return i.did("start") }
func (i idle) Stop()        { _ = i.did("stop") }

func (i idle) did(step string) error {
	if i.log != nil {
		*i.log = append(*i.log, step)
	}
	return nil
}

func TestAWorkerWhoseSecondQueueDoesNotStartStopsTheFirst(t *testing.T) {
	t.Parallel()
	var did []string
	err := pair{idle{&did}, &fakeWorker{world: &fakeTemporal{away: true}}}.Start()
	require.ErrorIs(t, err, errNamespace)
	require.Equal(t, []string{"start", "stop"}, did)
}
