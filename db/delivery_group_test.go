package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// gathered is a group whose first caller is blocked until the others wait behind it.
type gathered struct {
	*db.Group
	hold chan struct{}
}

func newGathered(many func(context.Context, []*int) ([]*int, error)) *gathered {
	g := &gathered{hold: make(chan struct{})}
	g.Group = db.NewGroup(func(ctx context.Context, n *int) error {
		switch *n {
		case 0:
			<-g.hold
		case 13:
			return errors.New("this one fails")
		}
		return ctx.Err()
	}, many)
	return g
}

// run does 0 alone and then the others, which have to be waiting by then.
func (g *gathered) run(t *testing.T, items ...int) []error {
	t.Helper()
	errs := make([]error, len(items)+1)
	var all sync.WaitGroup
	var first int
	all.Go(func() { errs[0] = g.Do(t.Context(), &first) })
	require.Eventually(t, g.Busy, time.Minute, time.Millisecond)
	for i := range items {
		all.Go(func() { errs[i+1] = g.Do(t.Context(), &items[i]) })
	}
	require.Eventually(t, func() bool { return g.Waiting() == len(items) }, time.Minute, time.Millisecond)
	close(g.hold)
	all.Wait()
	return errs
}

func TestWaitingCallersAreBatched(t *testing.T) {
	t.Parallel()
	var sizes atomic.Value
	g := newGathered(func(_ context.Context, all []*int) ([]*int, error) {
		sizes.Store(len(all))
		return nil, nil
	})
	require.NoError(t, errors.Join(g.run(t, 1, 2, 3)...))
	require.Equal(t, 3, sizes.Load())
}

func TestAFailingItemDoesNotAffectTheOthersOfItsGroup(t *testing.T) {
	t.Parallel()
	g := newGathered(func(context.Context, []*int) ([]*int, error) { return nil, errors.New("one of them is bad") })
	errs := g.run(t, 1, 13, 2)
	require.EqualError(t, errs[2], "this one fails")
	require.NoError(t, errors.Join(errs[0], errs[1], errs[3]))
}

func TestAnItemThatAGroupReturnsIsWrittenAlone(t *testing.T) {
	t.Parallel()
	g := newGathered(func(_ context.Context, all []*int) ([]*int, error) {
		for _, n := range all {
			if *n == 13 {
				return []*int{n}, nil
			}
		}
		return nil, nil
	})
	errs := g.run(t, 1, 13)
	require.NoError(t, errs[1])
	require.EqualError(t, errs[2], "this one fails")
}

func TestAGroupCallsAnUnavailableDatabaseOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	g := newGathered(func(context.Context, []*int) ([]*int, error) {
		asked.Add(1)
		return nil, relay.ErrUnavailable
	})
	errs := g.run(t, 1, 2)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], relay.ErrUnavailable)
	require.ErrorIs(t, errs[2], relay.ErrUnavailable)
	require.EqualValues(t, 1, asked.Load())
}

func TestAGroupThatMeetsADeadlockIsWrittenItemByItem(t *testing.T) {
	t.Parallel()
	for _, number := range []uint16{1205, 1213} {
		g := newGathered(func(context.Context, []*int) ([]*int, error) { return nil, &mysql.MySQLError{Number: number} })
		errs := g.run(t, 1, 13, 2)
		require.NoError(t, errors.Join(errs[0], errs[1], errs[3]), "a locked row does not fail the others")
		require.EqualError(t, errs[2], "this one fails")
	}
}

func TestAGroupFinishesOnlyTheRowsOfItsRuns(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	var rows []int64
	for i, run := range []string{"own", "another", "own", "another", "own", "own"} {
		rows = append(rows, f.direct(fmt.Sprint(i), bosley))
		f.taken(rows[i], run)
	}
	require.NoError(t, f.Finish(t.Context(), rows[5], "own", relay.EventOutcome{Status: relay.StatusFailed, Detail: "first"}))
	require.NoError(t, f.FinishTogether(t.Context(), rows, "own", relay.EventOutcome{Status: relay.StatusDelivered}))
	var statuses []relay.Status
	for _, id := range rows {
		status, _ := f.status(id)
		statuses = append(statuses, status)
	}
	require.Equal(t, []relay.Status{"delivered", "processing", "delivered", "processing", "delivered", "failed"}, statuses)
	require.Equal(t, "first", f.text("SELECT detail FROM marketing_events WHERE id = ?", rows[5]))
}

func TestAWithdrawnCallerIsNotServed(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	g := db.NewGroup(func(_ context.Context, n *int) error {
		served.Add(int32(*n)) //nolint:gosec // 1
		return nil
	}, nil)
	release := g.Occupy()
	ctx, cancel := context.WithCancel(t.Context())
	one := 1
	left := make(chan error, 1)
	go func() { left <- g.Do(ctx, &one) }()
	require.Eventually(t, func() bool { return g.Waiting() == 1 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	release()
	require.False(t, g.Busy())
	require.Zero(t, served.Load())
}

// TestConcurrentDeliveriesWriteTheSameAsSingleOnes writes valid and invalid rows in groups.
func TestConcurrentDeliveriesWriteTheSameAsSingleOnes(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	stored := f.insert(newEvents(0, 200, bosley, "bosley"))
	f.exec("UPDATE marketing_events SET status = 'processing', run_id = 'another' WHERE id = ?", stored[7].ID)
	var all sync.WaitGroup
	for i, s := range stored {
		all.Go(func() { f.deliverInGroup(i, s.ID) })
	}
	all.Wait()
	require.Equal(t, 199, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered' AND generation = 0 AND run_id = CONCAT('run-', id)"))
	require.Equal(t, "another", f.text("SELECT run_id FROM marketing_events WHERE id = ?", stored[7].ID))
	require.Equal(t, 199, f.count(`SELECT COUNT(*) FROM event_attempts WHERE outcome = 'accepted' AND trace_id = CONCAT('t-', marketing_event_id)
		AND response_status = 200 + marketing_event_id % 2 AND reason IS NULL AND duration_us = marketing_event_id`))
	require.Equal(t, 199, f.count(`SELECT COUNT(*) FROM marketing_events WHERE detail = CONCAT('d-', id) AND reason IS NULL
		AND ends = CONCAT('[{"destination":"sgtm","outcome":"accepted","status":', 200 + id % 2, '}]')`))
}

func (f *fixture) deliverInGroup(i int, id int64) {
	ctx, run := f.t.Context(), fmt.Sprintf("run-%d", id)
	taken, err := f.Take(ctx, id, run)
	require.NoError(f.t, err)
	require.Equal(f.t, i != 7, taken)
	if !taken {
		return
	}
	a := relay.Attempt{AttemptID: fmt.Sprintf("%032d", id), EventID: id, Destination: relay.SGTM, Number: 1}
	if i%50 == 0 {
		a.Body = strings.Repeat("x", 60_000) // too large for a group
	}
	require.NoError(f.t, f.RecordSending(ctx, a))
	if i%10 == 0 {
		require.NoError(f.t, f.RecordSending(ctx, a), "the same again")
	}
	status := 200 + int(id%2)
	require.NoError(f.t, f.CompleteAttempts(ctx, []relay.AttemptEnd{{AttemptID: a.AttemptID, Duration: time.Duration(id) * time.Microsecond,
		Result: relay.Result{Outcome: relay.Accepted, Status: status, TraceID: fmt.Sprintf("t-%d", id)}}}))
	require.NoError(f.t, f.Finish(ctx, id, run, relay.EventOutcome{Status: relay.StatusDelivered, Detail: fmt.Sprintf("d-%d", id),
		Ends: []relay.DeliveryResult{{Destination: relay.SGTM, Outcome: relay.Accepted, Status: status}}}))
}

func TestConcurrentAttemptedDeliveriesFreeTheirSlots(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	stored := f.insert(newEvents(0, 200, f.storefront("bosley"), "bosley"))
	for _, s := range stored[1:] {
		f.taken(s.ID, "run")
	}
	var all sync.WaitGroup
	errs := make([]error, len(stored))
	for i, s := range stored {
		all.Go(func() {
			errs[i] = f.Wait(t.Context(), s.ID, relay.Waiting{For: relay.WaitsForRetry, After: time.Duration(i) * time.Hour})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'processing' AND claimed_until > UTC_TIMESTAMP(6)"))
	require.Equal(t, 199, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'processing'"))
	for i, s := range stored[1:] {
		require.Equal(t, 1, f.count(`SELECT COUNT(*) FROM marketing_events WHERE id = ? AND waiting_for = 'retry' AND
			next_attempt_at BETWEEN UTC_TIMESTAMP(6) + INTERVAL ? HOUR - INTERVAL 30 MINUTE AND UTC_TIMESTAMP(6) + INTERVAL ? HOUR`, s.ID, i+1, i+1))
	}
}

// TestALockedRowDelaysNoOtherRow has OMS insert a duplicate in a transaction that stays open.
func TestALockedRowDelaysNoOtherRow(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	stored := f.insert(newEvents(0, 64, f.storefront("bosley"), "bosley"))
	tx, err := f.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), "UPDATE marketing_events SET event_id = event_id WHERE id = ?", stored[0].ID)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var others, locked sync.WaitGroup
	locked.Go(func() { _, _ = f.Take(ctx, stored[0].ID, "run") })
	for _, s := range stored[1:] {
		others.Go(func() { f.taken(s.ID, "run") })
	}
	others.Wait() // without the commit it would end with the lock time-out, and an error
	require.Equal(t, 63, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'processing'"))
	cancel()
	locked.Wait()
}
