package bench

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

const eventType = "purchase_completed"

// itemBytes is about the size of the brief's sample items with a real person's fields.
const itemBytes = 600

// items returns new events of a storefront.
func (l *env) items(storefront string, n int) []harness.Item {
	items := make([]harness.Item, n)
	at := time.Now().UTC().Format(time.RFC3339)
	for i := range items {
		l.posted++
		items[i] = harness.Item{
			"t-value": "bench", "storefront_id": storefront, "event_name": eventType, "event_time": at,
			"order_id": fmt.Sprintf("order-%08d", l.posted), "order_revenue": "80.79", "order_currency": "USD",
			"customer_email": fmt.Sprintf("someone.%d@example.com", l.posted), "ip_address": "203.0.113.7",
			"user_agent":   "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
			"ga_client_id": fmt.Sprintf("GA1.1.%010d.1764000000", l.posted),
			"page_url":     "https://shop.example.com/checkout/thank-you?step=5",
			"products":     []map[string]any{{"sku": "A-100", "name": "Monthly plan", "price": 80.79, "quantity": 1}},
		}
		items[i]["filler"] = strings.Repeat("x", itemBytes-500)
	}
	return items
}

// post posts items in one request; every one has to be accepted.
func (l *env) post(ctx context.Context, items []harness.Item) error {
	return l.send(ctx, harness.Batch(items...), len(items))
}

func (l *env) send(ctx context.Context, batch []byte, n int) error {
	answer, err := l.relay.Post(ctx, batch)
	if err != nil {
		return err
	}
	if answer.HTTPStatus != http.StatusAccepted || answer.Accepted != n {
		return fmt.Errorf("%d items: answer %d %.300s", n, answer.HTTPStatus, answer.Body)
	}
	return nil
}

// postBacklog posts n events in batches.
func (l *env) postBacklog(ctx context.Context, storefront string, n, batch int) error {
	for n > 0 {
		size := min(n, batch)
		if err := l.post(ctx, l.items(storefront, size)); err != nil {
			return err
		}
		n -= size
	}
	return nil
}

// probe is an event whose delivery is timed.
type probe struct {
	key  string // by which the sink identifies it
	sent time.Time
}

func probeOf(item harness.Item) probe {
	code, order := item["storefront_id"].(string), item["order_id"].(string)
	e := relay.Event{EventID: order, Type: eventType, Storefront: relay.Storefront{Code: code}}
	return probe{key: e.DedupID(), sent: time.Now()}
}

// openLoop posts single events of a storefront at a steady rate, whatever their results, and counts their time from when
// they were due.
func (l *env) openLoop(ctx context.Context, storefront string, rate int, lasting time.Duration) ([]probe, error) {
	n := int(lasting.Seconds() * float64(rate))
	items := l.items(storefront, n)
	probes := make([]probe, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if err := sleep(ctx, time.Until(due)); err != nil {
			return nil, err
		}
		probes[i] = probeOf(items[i])
		probes[i].sent = due
		all.Go(func() { errs[i] = l.post(ctx, items[i:i+1]) })
	}
	all.Wait()
	return probes, errors.Join(errs...)
}

// latencies waits until all probes have arrived and returns how long each took.
func (l *env) latencies(ctx context.Context, probes []probe, bound time.Duration) ([]time.Duration, error) {
	for end := time.Now().Add(bound); ; {
		arrivals, err := l.Sandbox.Arrivals(ctx)
		if err != nil {
			return nil, err
		}
		at := make(map[string]time.Time, len(arrivals))
		for _, a := range arrivals {
			at[a.Key] = a.First
		}
		var took []time.Duration
		for _, p := range probes {
			if arrived, ok := at[p.key]; ok {
				took = append(took, arrived.Sub(p.sent))
			}
		}
		if len(took) == len(probes) {
			return took, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%d of %d events have not arrived", len(probes)-len(took), len(probes))
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// latency adds the quantiles of a scenario's times.
func (r *Result) latency(what string, took []time.Duration, p50, p99 []Goal) {
	r.add(what+", p50", ms(quantile(took, 0.5)), "ms", p50...)
	r.add(what+", p99", ms(quantile(took, 0.99)), "ms", p99...)
}
