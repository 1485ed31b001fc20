package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"relay/deploy/dev/harness"
	"relay/internal/relay"
)

const (
	largestBatch = 50
	tick         = 100 * time.Millisecond
	requestTime  = 30 * time.Second
	// patience bounds how long an event may be refused before the suite fails: longer than any restart.
	patience = 2 * time.Minute
)

var eventTypes = []string{"purchase_completed", "consult_started"}

// sent is one accepted event: OMS received a 202 for it, or its INSERT was committed.
type sent struct{ order, kind, storefront string }

// key returns the event's id at its destinations.
func (e sent) key() string {
	return relay.Event{EventID: e.order, Type: e.kind, Storefront: relay.Storefront{Code: e.storefront}}.DedupID()
}

// load sends events as OMS would: through the API and by SQL at the same time, and retries until each is accepted.
type load struct {
	env *env
	at  string // of all events: a repeated batch must be identical
	all sync.WaitGroup

	mu     sync.Mutex
	ledger []sent
	errs   []error
}

// source is one stream of events.
type source struct {
	storefront string
	share      float64
	hand       func(context.Context, []sent) error
	name       string
}

// startLoad sends a number of events at a constant rate, and catches up after interruptions.
func startLoad(ctx context.Context, l *env, events int, duration time.Duration) *load {
	d := &load{env: l, at: time.Now().UTC().Format(time.RFC3339)}
	for _, s := range []source{
		{acme, 0.3, d.post, "a"}, {brio, 0.15, d.post, "b"}, {corso, 0.25, d.post, "c"},
		{acme, 0.1, d.insert, "d"}, {brio, 0.05, d.insert, "e"}, {corso, 0.15, d.insert, "f"},
	} {
		d.all.Go(func() {
			if err := d.feed(ctx, s, int(s.share*float64(events)), duration); err != nil {
				d.mu.Lock()
				d.errs = append(d.errs, err)
				d.mu.Unlock()
			}
		})
	}
	return d
}

func (d *load) feed(ctx context.Context, s source, events int, duration time.Duration) error {
	begin := time.Now()
	for done := 0; done < events; {
		due := min(events, int(float64(events)*float64(time.Since(begin))/float64(duration))+1)
		if done >= due {
			if err := sleep(ctx, tick); err != nil {
				return err
			}
			continue
		}
		batch := make([]sent, min(due-done, largestBatch))
		for i := range batch {
			n := done + i
			batch[i] = sent{fmt.Sprintf("%s-%s-%06d", s.storefront, s.name, n), eventTypes[n%len(eventTypes)], s.storefront}
		}
		if err := d.deliver(ctx, s, batch); err != nil {
			return err
		}
		done += len(batch)
		if err := sleep(ctx, tick); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a batch until it is accepted.
func (d *load) deliver(ctx context.Context, s source, batch []sent) error {
	until := time.Now().Add(patience)
	for {
		err := s.hand(ctx, batch)
		if err == nil {
			d.mu.Lock()
			d.ledger = append(d.ledger, batch...)
			d.mu.Unlock()
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("send events of %s: %w", s.storefront, err)
		}
		if err := sleep(ctx, tick); err != nil {
			return err
		}
	}
}

// post sends events to the process that accepts events at present.
func (d *load) post(ctx context.Context, batch []sent) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	items := make([]harness.Item, len(batch))
	for i, e := range batch {
		items[i] = harness.Item{
			"t-value": "x", "storefront_id": e.storefront, "event_name": e.kind, "order_id": e.order,
			"event_time": d.at, "order_revenue": 80.79,
		}
	}
	response, err := d.env.intake.Load().Post(ctx, harness.Batch(items...))
	if err != nil {
		return err
	}
	if response.HTTPStatus != http.StatusAccepted || response.Accepted+response.Duplicates != len(batch) {
		return fmt.Errorf("response %d: %s", response.HTTPStatus, response.Body)
	}
	return nil
}

// insert inserts events into the inbox as OMS does, in the form of the README.
func (d *load) insert(ctx context.Context, batch []sent) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var args []any
	for _, e := range batch {
		args = append(args, e.order, e.storefront, e.kind, `{"order_id": "`+e.order+`", "order_revenue": 80.79}`)
	}
	rows := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, 'oms_direct', 'pending'),", len(batch)), ",")
	_, err := d.env.pool.ExecContext(ctx, `INSERT INTO marketing_events
		(event_id, storefront_code, event_type, event_payload, source_system, status) VALUES `+rows+`
		ON DUPLICATE KEY UPDATE event_id = event_id`, args...)
	return err
}

func (d *load) wait() error {
	d.all.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return errors.Join(d.errs...)
}

func (d *load) accepted() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ledger)
}

// events returns all events accepted so far.
func (d *load) events() []sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]sent{}, d.ledger...)
}
