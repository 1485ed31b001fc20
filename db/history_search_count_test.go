package db_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func (f *fixture) countUpTo(filter ops.Filter) ops.EventCount {
	f.t.Helper()
	n, err := f.CountUpTo(f.t.Context(), filter)
	require.NoError(f.t, err)
	return n
}

func TestACountIsBounded(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.failedAt("f-1", bosley, "ga4", relay.ReasonExhausted)
	f.failedAt("f-2", bosley, "sgtm", relay.ReasonBadRequest)
	f.direct("p-1", bosley)
	for _, c := range []struct {
		filter ops.Filter
		n      int64
	}{
		{ops.Filter{}, 3},
		{ops.Filter{StorefrontID: bosley}, 3},
		{ops.Filter{StorefrontID: bosley + 1}, 0},
		{ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}, 2},
		{ops.Filter{Statuses: []relay.Status{relay.StatusFailed, relay.StatusPending}}, 3},
		{ops.Filter{Statuses: []relay.Status{relay.StatusFailed}, Reasons: []relay.Reason{relay.ReasonExhausted}}, 1},
		{ops.Filter{Destination: "sgtm"}, 1},
		{ops.Filter{OrderID: "f-1"}, 1},
		{ops.Filter{Type: "purchase_completed", Source: "oms_direct"}, 3},
	} {
		require.Equal(t, ops.EventCount{N: c.n}, f.countUpTo(c.filter), "%+v", c.filter)
	}
	for n := 0; n < 26_000; n += 5000 {
		f.insert(newEvents(n, n+5000, bosley, "bosley"))
	}
	require.Equal(t, ops.EventCount{N: ops.CountBound, More: true}, f.countUpTo(ops.Filter{}))
	require.Equal(t, ops.EventCount{N: ops.CountBound, More: true}, f.countUpTo(ops.Filter{StorefrontID: bosley}))
	require.Equal(t, ops.EventCount{N: ops.CountBound, More: true}, f.countUpTo(ops.Filter{Type: "purchase_completed"}))
	require.Equal(t, ops.EventCount{N: 0, More: true}, f.countUpTo(ops.Filter{Source: "oms_direct"}), "they are behind 25,000 newer ones")
	require.Equal(t, ops.EventCount{N: 2}, f.countUpTo(ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}))
}

func TestEventsThatWaitAtADestinationAreFound(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.platform(bosley, "ga4")
	f.platform(bosley, "tiktok")
	f.container(pfizer, ops.SGTMConfig{Active: true})
	require.NoError(t, f.PutCredential(t.Context(), pfizer, ops.Credential{Platform: "ga4", Active: true}))
	attempt := func(id int64, destination string, outcome relay.Outcome) {
		require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: fmt.Sprint(id, destination, outcome), EventID: id, Destination: destination,
			Number: 1, Result: relay.Result{Outcome: outcome}}))
	}
	rows := map[int64]string{}
	event := func(name string, storefront int64) int64 {
		id := f.direct(name, storefront)
		f.taken(id, "r")
		rows[id] = name
		return id
	}
	event("first", bosley) // waits for its first attempt anywhere
	half := event("half", bosley)
	attempt(half, "ga4", relay.Accepted)
	attempt(half, "tiktok", relay.Retry)
	event("contained", pfizer)
	attempt(event("fallback", pfizer), "ga4", relay.Retry) // the container had been off
	over := f.direct("over", bosley)
	f.taken(over, "r")
	attempt(over, "tiktok", relay.Retry)
	require.NoError(t, f.Finish(t.Context(), over, "r", relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonExhausted}))
	f.direct("pending", bosley)
	for destination, want := range map[string][]string{
		"ga4":    {"first", "fallback"},
		"tiktok": {"first", "half"},
		"sgtm":   {"contained", "fallback"},
		"other":  {},
	} {
		filter := ops.Filter{WaitingAt: destination, Statuses: []relay.Status{relay.StatusProcessing}}
		page, err := f.SearchEvents(t.Context(), filter, ops.Position{}, 10)
		require.NoError(t, err)
		found := []string{}
		for _, e := range page.Items {
			found = append(found, rows[e.ID])
		}
		require.ElementsMatch(t, want, found, destination)
		require.Equal(t, ops.EventCount{N: int64(len(want))}, f.countUpTo(filter))
		filter.StorefrontID = bosley
		require.LessOrEqual(t, f.countUpTo(filter).N, int64(2))
	}
	require.Zero(t, f.countUpTo(ops.Filter{WaitingAt: "tiktok", Statuses: []relay.Status{relay.StatusFailed}}).N)
}
