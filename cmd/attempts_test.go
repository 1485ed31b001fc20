package cmd_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd"
	"relay/internal/ops"
	"relay/internal/relay"
)

// counts is a database that keeps counts of attempts, and may be away.
type counts struct {
	away bool
	kept map[ops.AttemptKey]int64
	last map[ops.AttemptPlace]ops.LastAttempts

	served map[time.Time]ops.ServiceCounts
}

func (c *counts) AddServiceCounts(_ context.Context, counts map[time.Time]ops.ServiceCounts) error {
	if c.away {
		return errors.New("away")
	}
	for at, n := range counts {
		c.served[at] = c.served[at].Plus(n)
	}
	return nil
}

func (c *counts) NoteAttempts(_ context.Context, last map[ops.AttemptPlace]ops.LastAttempts) error {
	if c.away {
		return errors.New("away")
	}
	maps.Copy(c.last, last)
	return nil
}

func (c *counts) AddAttempts(_ context.Context, counts map[ops.AttemptKey]int64) error {
	if c.away {
		return errors.New("away")
	}
	for key, n := range counts {
		c.kept[key] += n
	}
	return nil
}

func TestCountsOfAttemptsAreKeptUntilTheDatabaseStoresThem(t *testing.T) {
	t.Parallel()
	store := &counts{kept: map[ops.AttemptKey]int64{}, last: map[ops.AttemptPlace]ops.LastAttempts{},
		served: map[time.Time]ops.ServiceCounts{}}
	meter, flush := cmd.NewAttemptMeter(store, time.Date(2026, 1, 15, 10, 25, 31, 0, time.UTC))
	failed := relay.Result{Outcome: relay.Retry, Status: 503}
	meter.Attempted("bosley", "ga4", failed, 80*time.Millisecond)
	meter.Delivered("bosley", "ga4", time.Minute)
	store.away = true
	flush()
	meter.Delivered("bosley", "ga4", time.Minute+time.Millisecond)
	meter.Attempted("bosley", "ga4", failed, 90*time.Millisecond)
	meter.Attempted("bosley", "ga4", relay.Result{Outcome: relay.Accepted, Status: 204}, 90*time.Millisecond)
	meter.Attempted("bosley", "sgtm", relay.Result{Outcome: relay.Unknown}, time.Second)
	for _, o := range []relay.Outcome{relay.Exhausted, relay.Rejected, relay.Unauthorized, relay.Unknown, relay.Accepted, relay.Skipped, relay.Blocked} {
		meter.Ended("bosley", "ga4", o)
	}
	meter.Claimed(relay.PendingDelivery{})
	meter.Finished(relay.StatusFailed, "")
	flush()
	require.Empty(t, store.kept)
	store.away = false
	flush()
	flush()
	at := time.Date(2026, 1, 15, 10, 25, 0, 0, time.UTC)
	require.Equal(t, map[ops.AttemptKey]int64{
		{Minute: at, Storefront: "bosley", Destination: "ga4", Outcome: relay.Retry, Status: 503, Range: 100}:    2,
		{Minute: at, Storefront: "bosley", Destination: "ga4", Outcome: relay.Accepted, Status: 204, Range: 100}: 1,
		{Minute: at, Storefront: "bosley", Destination: "sgtm", Outcome: relay.Unknown, Range: 1000}:             1,
	}, store.kept)
	require.Equal(t, map[time.Time]ops.ServiceCounts{at: {Delivered: 1, Failed: 4, Fresh: 1, Late: 1}}, store.served)
	now := at.Add(31 * time.Second)
	require.Equal(t, map[ops.AttemptPlace]ops.LastAttempts{{Storefront: "bosley", Destination: "ga4"}: {Attempt: now, Accepted: now},
		{Storefront: "bosley", Destination: "sgtm"}: {Attempt: now}}, store.last)
}
