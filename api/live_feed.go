package api

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"relay/internal/ops"
)

// LiveStore is what the stream of live events reads.
type LiveStore interface {
	LiveCounts(ctx context.Context) (ops.LiveCounts, error)
	LiveTotals(ctx context.Context) (ops.LiveTotals, error)
	// LiveAttempts lists the newest attempts above an id, n at most, and those with the ids of open, the newest first.
	LiveAttempts(ctx context.Context, after int64, open []int64, n int) ([]ops.LiveAttempt, error)
	// LiveReplays lists the replays that have not ended, or only just.
	LiveReplays(ctx context.Context) ([]ops.Replay, error)
	// LiveHealth lists the destinations that are failing or unhealthy.
	LiveHealth(ctx context.Context) ([]ops.LiveHealth, error)
}

const (
	pollEvery    = 2 * time.Second
	pollTimeout  = 10 * time.Second
	liveRing     = 500 // attempts that a stream begins with
	liveAgain    = 200 // ids below the highest that are read again: transactions commit out of order
	maxListeners = 200 // of one process
	liveBuffer   = 2 * (liveRing + liveAgain)
)

// liveKind is the name of an event of the stream.
type liveKind string

const (
	kindFigures liveKind = "figures"
	kindAttempt liveKind = "attempt"
	kindReplay  liveKind = "replay"
	kindHealth  liveKind = "health"
)

// liveMessage is one event of the stream, with what a listener may filter by.
type liveMessage struct {
	kind                             liveKind
	data                             []byte
	storefront, destination, outcome string
}

// liveFilter picks messages; empty fields pick all.
type liveFilter struct {
	kinds                   []string
	storefront, destination string
	outcomes                []string
}

func (f liveFilter) picks(m liveMessage) bool {
	switch {
	case len(f.kinds) > 0 && !slices.Contains(f.kinds, string(m.kind)):
		return false
	case m.kind == kindFigures || m.kind == kindReplay:
		return true
	case f.storefront != "" && f.storefront != m.storefront, f.destination != "" && f.destination != m.destination:
		return false
	}
	return m.kind != kindAttempt || len(f.outcomes) == 0 || slices.Contains(f.outcomes, m.outcome)
}

// listener is one open stream. Its channel is closed when it takes too slowly: it may connect again.
type listener struct {
	filter   liveFilter
	messages chan liveMessage
}

// feed polls the database for all streams of this process together, while there is one.
type feed struct {
	store LiveStore
	log   *slog.Logger
	every time.Duration

	mu        sync.Mutex
	listeners map[*listener]bool
	polling   *poller // nil without a listener
}

func newFeed(store LiveStore, log *slog.Logger, every time.Duration) *feed {
	return &feed{store: store, log: log, every: cmp.Or(every, pollEvery), listeners: map[*listener]bool{}}
}

// join adds a stream, and returns what it begins with.
func (f *feed) join(filter liveFilter) (*listener, []liveMessage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.listeners) >= maxListeners {
		return nil, nil, tooBusy()
	}
	l := &listener{filter: filter, messages: make(chan liveMessage, liveBuffer)}
	f.listeners[l] = true
	if f.polling == nil {
		ctx, stop := context.WithCancel(context.Background())
		f.polling = &poller{feed: f, stop: stop, outcomes: map[int64]string{}, replays: map[int64]string{}, health: map[livePlace]liveMessage{}}
		go f.polling.run(ctx)
		return l, nil, nil
	}
	return l, slices.DeleteFunc(f.polling.known(), func(m liveMessage) bool { return !filter.picks(m) }), nil
}

// leave removes a stream. The last one ends the polling.
func (f *feed) leave(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.listeners, l)
	if len(f.listeners) == 0 && f.polling != nil {
		f.polling.stop()
		f.polling = nil
	}
}

// publish passes a message on to the streams that want it. The caller holds the lock.
func (f *feed) publish(m liveMessage) {
	for l := range f.listeners {
		if !l.filter.picks(m) {
			continue
		}
		select {
		case l.messages <- m:
		default:
			close(l.messages)
			delete(f.listeners, l)
		}
	}
}

func messageOf(kind liveKind, v any) liveMessage {
	data, _ := json.Marshal(v) // numbers, texts and times always marshal
	return liveMessage{kind: kind, data: data}
}
