package api_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// inbox keeps events in memory, unique by id and type as the table is.
type inbox struct {
	mu         sync.Mutex
	err        error
	panics     bool
	discard    bool // answers without keeping anything, for benchmarks
	storefront map[string]int64
	status     relay.Status
	rows       []relay.NewEvent
	byKey      map[string]int
	leases     []time.Duration
	inserts    int
	busy       map[string]bool // by event_id
}

func (i *inbox) StorefrontIDs(_ context.Context, codes []string) (map[string]int64, error) {
	ids := map[string]int64{}
	for _, c := range codes {
		if id, ok := i.storefront[c]; ok {
			ids[c] = id
		}
	}
	return ids, nil
}

func (i *inbox) InsertEvents(_ context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.InsertResult, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.inserts++
	i.leases = append(i.leases, lease)
	if i.panics {
		var none []int
		_ = none[len(events)]
	}
	if i.err != nil {
		return nil, i.err
	}
	stored := make([]relay.InsertResult, len(events))
	if i.discard {
		return stored, nil
	}
	for n, e := range events {
		key := e.EventID + "\x00" + e.Type
		row, taken := i.byKey[key]
		switch {
		case i.busy[e.EventID]:
			stored[n] = relay.InsertResult{Verdict: relay.Busy}
		case !taken:
			i.rows = append(i.rows, e)
			i.byKey[key] = len(i.rows)
			stored[n] = relay.InsertResult{ID: int64(len(i.rows)), Verdict: relay.Inserted, Status: relay.StatusPending}
		case i.rows[row-1].Digest == e.Digest && i.rows[row-1].StorefrontID == e.StorefrontID:
			stored[n] = relay.InsertResult{ID: int64(row), Verdict: relay.Duplicate, Status: i.status}
		default:
			stored[n] = relay.InsertResult{ID: int64(row), Verdict: relay.Conflict, Status: i.status,
				Foreign: i.rows[row-1].StorefrontID != e.StorefrontID}
		}
	}
	return stored, nil
}

// starter has room for so many events of each storefront.
type starter struct {
	mu       sync.Mutex
	room     int
	held     map[string]int
	started  []relay.PendingDelivery
	released map[string]int
}

func (s *starter) Reserve(_ context.Context, storefront string, n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := min(n, s.room)
	s.held[storefront] += got
	return got
}

func (s *starter) Start(_ context.Context, starts []relay.PendingDelivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = append(s.started, starts...)
	for _, st := range starts {
		s.held[st.StorefrontCode]--
	}
}

func (s *starter) Release(storefront string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[storefront] -= n
	s.released[storefront] += n
}

// probes are the database and Temporal as readiness sees them.
type probes struct {
	mu             sync.Mutex
	ping, temporal error
	written        error
	old, hang      bool
	asked          int
}

func (p *probes) Ping(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.ping
}

func (p *probes) Writable(context.Context) error { return p.written }

func (p *probes) Current(context.Context) (bool, error) { return !p.old, p.ping }

func (p *probes) Temporal(context.Context) error { return p.temporal }

func (s *starter) idle(t testing.TB) {
	t.Helper()
	for storefront, n := range s.held {
		require.Zero(t, n, "reservation of %s", storefront)
	}
}
