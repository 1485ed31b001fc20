package workflows_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
	"relay/workflows"
)

// starts is a starter that blocks until let is closed.
type starts struct {
	let  chan struct{}
	mu   sync.Mutex
	done []string
}

func (s *starts) start(_ context.Context, r relay.PendingDelivery) error {
	<-s.let
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, r.StorefrontCode)
	return nil
}

func rowsOf(storefront string, n int) []relay.PendingDelivery {
	rows := make([]relay.PendingDelivery, n)
	for i := range rows {
		rows[i] = relay.PendingDelivery{ID: int64(i), StorefrontCode: storefront}
	}
	return rows
}

func TestStartQueueInterleavesStorefronts(t *testing.T) {
	t.Parallel()
	s := &starts{let: make(chan struct{})}
	b := workflows.NewStartQueue(s.start, nil, 200, slog.New(slog.DiscardHandler))
	require.Equal(t, 100, b.Reserve(t.Context(), "busy", 100))
	b.Start(t.Context(), rowsOf("busy", 100))
	require.Equal(t, 1, b.Reserve(t.Context(), "quiet", 1))
	b.Start(t.Context(), rowsOf("quiet", 1))
	close(s.let)
	b.Close(t.Context())
	require.Len(t, s.done, 101)
	require.Contains(t, s.done[:40], "quiet", "it waits for what is in flight, not for the other's batch")
}

func TestStartQueueLimitsTheReservationsOfAStorefront(t *testing.T) {
	t.Parallel()
	s := &starts{let: make(chan struct{})}
	b := workflows.NewStartQueue(s.start, nil, 200, slog.New(slog.DiscardHandler))
	require.Equal(t, 150, b.Reserve(t.Context(), "busy", 150))
	require.Equal(t, 50, b.Reserve(t.Context(), "busy", 150))
	require.Zero(t, b.Reserve(t.Context(), "busy", 1))
	require.Equal(t, 1, b.Reserve(t.Context(), "quiet", 1))
	b.Release("busy", 10)
	require.Equal(t, 10, b.Reserve(t.Context(), "busy", 150))
	close(s.let)
	b.Close(t.Context())
	require.Zero(t, b.Reserve(t.Context(), "quiet", 1), "it is closed")
	b.Start(t.Context(), rowsOf("quiet", 1)) // left to PollInbox
	require.Empty(t, s.done)
}

func TestStartQueueReservesNoMoreThanTheDestinationsHaveRoomFor(t *testing.T) {
	t.Parallel()
	s := &starts{let: make(chan struct{})}
	room := map[string]int{"limited": 3, "full": 0, "free": 1000}
	b := workflows.NewStartQueue(s.start, func(_ context.Context, storefront string) int { return room[storefront] }, 200, slog.New(slog.DiscardHandler))
	require.Equal(t, 3, b.Reserve(t.Context(), "limited", 10))
	require.Zero(t, b.Reserve(t.Context(), "full", 10))
	require.Equal(t, 200, b.Reserve(t.Context(), "free", 300))
	close(s.let)
	b.Close(t.Context())
}

func TestStartQueueRunsHalfOfItsStartsForOneStorefrontAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		var mu sync.Mutex
		busy := map[string]int{}
		b := workflows.NewStartQueue(func(_ context.Context, r relay.PendingDelivery) error {
			mu.Lock()
			busy[r.StorefrontCode]++
			mu.Unlock()
			<-let
			return nil
		}, nil, 200, slog.New(slog.DiscardHandler))
		for _, storefront := range []string{"busy", "quiet"} {
			require.Equal(t, 30, b.Reserve(t.Context(), storefront, 30))
			b.Start(t.Context(), rowsOf(storefront, 30))
			synctest.Wait()
			require.Equal(t, 8, busy[storefront])
		}
		close(let)
		b.Close(t.Context())
		require.Equal(t, map[string]int{"busy": 30, "quiet": 30}, busy)
	})
}
