package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"relay/db/seed"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// limitedAnswer is the response time of B's destination, which takes one request at a time.
const limitedAnswer = 50 * time.Millisecond

// limited makes a storefront, B, post more than its destination takes at a time. It measures the order of deliveries, the
// length of their histories, and the wait of a quiet storefront, A.
func limited(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{scripted: true, storefronts: []string{"a", "b"}})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	if err := l.limit(ctx, "b", relay.Limits{InFlight: 1}); err != nil {
		return err
	}
	if err := l.Sandbox.Answer(ctx, sandbox.Rule{Path: "/b", Then: sandbox.Answer{DelayMS: int(limitedAnswer.Milliseconds())}}); err != nil {
		return err
	}
	began := time.Now()
	if err := l.postBacklog(ctx, "b", r.sizes.Limited, fullSizes.Batch); err != nil {
		return err
	}
	a, err := l.quiet(ctx)
	if err != nil {
		return err
	}
	if err := l.drained(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	order, err := l.attempted(ctx, "b")
	if err != nil {
		return err
	}
	longest, mean, err := l.histories(ctx, order)
	if err != nil {
		return err
	}
	r.result.add("B's events delivered, of one in flight and 50 ms each", float64(len(order))/took.Seconds(), "/s")
	r.result.add("farthest from its place in the order of arrival", 100*float64(displaced(order))/float64(len(order)), "%", atMost(5))
	r.result.add("history events of one event of B, at most", float64(longest), "", atMost(40))
	r.result.add("history events of one event of B, mean", mean, "")
	r.result.latency("A beside it", a, nil, []Goal{atMost(500)})
	r.result.note("B posts %d events at once to a destination with in_flight 1 that takes %s for each; A posts %d single events a second for %d s meanwhile.",
		r.sizes.Limited, limitedAnswer, quietRate, quietSeconds)
	return nil
}

// limit sets the limits of a storefront's container.
func (l *env) limit(ctx context.Context, code string, limits relay.Limits) error {
	ids, err := l.Store.StorefrontIDs(ctx, []string{code})
	if err != nil {
		return err
	}
	return seed.On(l.Store).PutSGTM(ctx, ids[code], ops.SGTMConfig{
		URL: l.Sandbox.BaseURL + "/" + code, MeasurementID: "G-" + strings.ToUpper(code), APISecret: relay.NewSecret("secret-of-" + code),
		Active: true, Options: relay.Options{Limits: limits},
	})
}

// attempted returns the rows of a storefront in the order of their first attempts.
func (l *env) attempted(ctx context.Context, storefront string) ([]int64, error) {
	rows, err := l.database.QueryContext(ctx, `SELECT a.marketing_event_id FROM event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id
		WHERE e.storefront_code = ? AND a.number = 1 ORDER BY a.started_at`, storefront)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("storefront %s: no attempts", storefront)
	}
	return ids, rows.Err()
}

// displaced returns the greatest distance of a row from its place.
func displaced(order []int64) int {
	places := map[int64]int{}
	for place, id := range slices.Sorted(slices.Values(order)) {
		places[id] = place
	}
	most := 0
	for place, id := range order {
		most = max(most, place-places[id], places[id]-place)
	}
	return most
}

// histories measures the length of the deliveries' histories.
func (l *env) histories(ctx context.Context, rows []int64) (longest int, mean float64, err error) {
	sum := 0
	for _, row := range rows {
		d, err := l.temporal.DescribeWorkflow(ctx, workflows.DeliverEventID(row), "")
		if err != nil {
			return 0, 0, err
		}
		longest, sum = max(longest, d.HistoryLength), sum+d.HistoryLength
	}
	return longest, float64(sum) / float64(len(rows)), nil
}
