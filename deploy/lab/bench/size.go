package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relay/db"
	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

// table is the database of an inbox with so many finished events.
type table struct {
	*db.Store
	rows int
}

// tables are two databases on one server that differ only in that number.
type tables struct{ small, large table }

// scatter is a prime that spreads reads over the whole table.
const scatter = 7_654_321

// backlogHours is the number of hours in one round of counting while it catches up; the open hours, which are recounted
// repeatedly, are fewer.
const backlogHours = 10

// pendingRows wait in both tables to be claimed.
const pendingRows = 10_000

// size times the same calls, alternating, in a small table and in a large one.
func size(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{rest: true, database: quickToFill})
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
		call func(table, int) error
	}{
		{"claim a page", func(t table, _ int) error {
			starts, err := t.Claim(ctx, db.ClaimOptions{Page: 100, Cap: 0, Lease: time.Hour})
			if err == nil && len(starts) != 100 {
				err = fmt.Errorf("%d rows claimed, not 100", len(starts))
			}
			return err
		}},
		{"search by order", func(t table, n int) error {
			p, err := t.SearchEvents(ctx, ops.Filter{OrderID: fmt.Sprintf("m-%d", 1+n*scatter%t.rows)}, ops.Position{}, 50)
			if err == nil && len(p.Items) != 1 {
				err = fmt.Errorf("%d events found, not 1", len(p.Items))
			}
			return err
		}},
		{"stats of a month", func(t table, _ int) error {
			_, err := t.Stats(ctx, 0, now.Add(-30*24*time.Hour), now)
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
	r.result.note("%d finished events against %d, and %d pending in each; %d calls of each kind, in turn. Every search is for another order; the database's buffer pool of %d GiB has room for both tables.",
		r.sizes.LargeTable, r.sizes.SmallTable, pendingRows, r.sizes.Calls, bufferPool)
	return nil
}

// compare alternates calls; the first calls warm up.
func (t tables) compare(calls int, call func(table, int) error) (small, large []time.Duration, err error) {
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

// newTable creates a migrated database with n finished events of the last 20 days, and some pending ones.
func (l *env) newTable(ctx context.Context, r *run, name string, n int) (table, error) {
	began := time.Now()
	if err := l.Database.CreateDatabase(ctx, name); err != nil {
		return table{}, err
	}
	store, err := db.Open(db.Config{URL: l.Database.DSN(name)})
	if err != nil {
		return table{}, err
	}
	if _, err := store.Up(ctx); err != nil {
		return table{}, errors.Join(err, store.Close())
	}
	id, err := seed.On(store).CreateStorefront(ctx, relay.Storefront{Code: "a", Name: "a", Active: true})
	if err == nil {
		err = l.fill(ctx, name, id, n)
	}
	for counted := backlogHours; err == nil && counted >= backlogHours; {
		counted, err = store.RollUp(ctx, time.Minute)
	}
	if err != nil {
		return table{}, errors.Join(err, store.Close())
	}
	r.progress("  %d rows filled in %.0f s", n, time.Since(began).Seconds())
	return table{store, n}, nil
}
