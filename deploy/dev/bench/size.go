package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relay"
	"relay/db"
)

// tables are two databases on one server that differ in the number of finished events.
type tables struct{ small, large *db.Store }

// pendingRows wait in both tables to be claimed.
const pendingRows = 10_000

// size times the same calls, in turn, in a small table and in a large one.
func size(ctx context.Context, r *run) error {
	l, err := r.newLab(ctx, labOptions{rest: true})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	var t tables
	if t.small, err = l.newTable(ctx, r, "small", r.sizes.SmallTable); err != nil {
		return err
	}
	defer func() { _ = t.small.Close() }()
	if t.large, err = l.newTable(ctx, r, "large", r.sizes.LargeTable); err != nil {
		return err
	}
	defer func() { _ = t.large.Close() }()
	now := time.Now().UTC()
	calls := []struct {
		name string
		call func(*db.Store, int) error
	}{
		{"claim a page", func(s *db.Store, _ int) error {
			starts, err := s.Claim(ctx, db.ClaimOptions{Page: 100, Cap: 0, Lease: time.Hour})
			if err == nil && len(starts) != 100 {
				err = fmt.Errorf("%d rows claimed, not 100", len(starts))
			}
			return err
		}},
		{"search by order", func(s *db.Store, n int) error {
			p, err := s.SearchEvents(ctx, relay.Filter{OrderID: fmt.Sprintf("m-%d", n*97%r.sizes.SmallTable)}, relay.Position{}, 50)
			if err == nil && len(p.Items) != 1 {
				err = fmt.Errorf("%d events found, not 1", len(p.Items))
			}
			return err
		}},
		{"stats of a month", func(s *db.Store, _ int) error {
			_, err := s.Stats(ctx, 0, now.Add(-30*24*time.Hour), now)
			return err
		}},
	}
	for _, c := range calls {
		small, large, err := t.compare(r.sizes.Calls, c.call)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		r.result.add(c.name+", large / small", median(ratios(large, small)), "×", atMost(1.3))
		r.result.add(c.name+", large", ms(median(large)), "ms")
	}
	r.result.note("%d finished events against %d, and %d pending in each; %d calls of each kind, in turn.",
		r.sizes.LargeTable, r.sizes.SmallTable, pendingRows, r.sizes.Calls)
	return nil
}

// compare calls in turn; the first calls warm up.
func (t tables) compare(calls int, call func(*db.Store, int) error) (small, large []time.Duration, err error) {
	const warm = 3
	for n := range calls + warm {
		began := time.Now()
		err1 := call(t.small, n)
		middle := time.Now()
		err2 := call(t.large, n)
		if err := errors.Join(err1, err2); err != nil {
			return nil, nil, err
		}
		if n >= warm {
			small, large = append(small, middle.Sub(began)), append(large, time.Since(middle))
		}
	}
	return small, large, nil
}

// newTable makes a migrated database with n finished events of the last 20 days, and some that wait.
func (l *lab) newTable(ctx context.Context, r *run, name string, n int) (*db.Store, error) {
	r.progress("  filling a table with %d rows", n)
	if err := l.Database.CreateDatabase(ctx, name); err != nil {
		return nil, err
	}
	store, err := db.Open(db.Config{URL: l.Database.DSN(name)})
	if err != nil {
		return nil, err
	}
	if _, err := store.Up(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	id, err := store.CreateStorefront(ctx, relay.Storefront{Code: "a", Name: "a", Active: true})
	if err == nil {
		err = l.fill(ctx, name, id, n)
	}
	for more := 1; err == nil && more > 0; {
		more, err = store.RollUp(ctx, time.Minute)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// fill doubles what is there until there are n rows.
func (l *lab) fill(ctx context.Context, name string, storefront int64, n int) error {
	const columns = `(event_id, order_id, storefront_id, storefront_code, event_type, event_payload, source_system, status, ends, created_at, finished_at)`
	table := name + ".marketing_events"
	const first = ` SELECT 'm-0', 'm-0', ?, 'a', 'purchase_completed', REPEAT('x', 600), 'oms', 'delivered',
		'[{"destination":"sgtm","outcome":"accepted","status":200}]', UTC_TIMESTAMP(6) - INTERVAL 20 DAY, UTC_TIMESTAMP(6) - INTERVAL 20 DAY`
	if _, err := l.database.ExecContext(ctx, "INSERT INTO "+table+columns+first, storefront); err != nil {
		return err
	}
	for have := 1; have < n; {
		more := min(have, n-have)
		_, err := l.database.ExecContext(ctx, "INSERT INTO "+table+columns+` SELECT CONCAT('m-', ? + n), CONCAT('m-', ? + n), storefront_id, storefront_code,
			event_type, event_payload, source_system, status, ends, created_at + INTERVAL ? SECOND, finished_at + INTERVAL ? SECOND FROM
			(SELECT e.*, ROW_NUMBER() OVER (ORDER BY id) - 1 n FROM `+table+` e) old WHERE n < ?`,
			have, have, 19*24*3600*have/n, 19*24*3600*have/n, more)
		if err != nil {
			return err
		}
		have += more
	}
	_, err := l.database.ExecContext(ctx, "INSERT INTO "+table+columns+` SELECT CONCAT('p-', n), CONCAT('p-', n), storefront_id, storefront_code, event_type,
		event_payload, source_system, 'pending', NULL, UTC_TIMESTAMP(6), NULL FROM
		(SELECT e.*, ROW_NUMBER() OVER (ORDER BY id) n FROM `+table+` e) old WHERE n <= ?`, pendingRows)
	if err == nil {
		_, err = l.database.ExecContext(ctx, "ANALYZE TABLE "+table)
	}
	return err
}
