package db_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// remembered are the destinations with a row of health or activity.
func (f *fixture) remembered() string {
	f.t.Helper()
	return f.text(`SELECT GROUP_CONCAT(place ORDER BY place) FROM (SELECT CONCAT(storefront_id, '/', destination) AS place FROM destination_health
		UNION SELECT CONCAT(storefront_id, '/', destination) FROM destination_activity) r`)
}

// attempted inserts what the attempts at an unhealthy destination leave, whether it has settings or not.
func (f *fixture) attempted(storefront int64, destination string) {
	f.t.Helper()
	f.exec(`INSERT INTO destination_health (storefront_id, destination, failures, failing_since, unhealthy_since, probe_at)
		VALUES (?, ?, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`, storefront, destination)
	f.exec("INSERT INTO destination_activity (storefront_id, destination, last_attempt_at) VALUES (?, ?, UTC_TIMESTAMP(6))", storefront, destination)
}

func TestADeletedDestinationIsNotUnhealthyAnyMore(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	for _, id := range []int64{bosley, pfizer} {
		f.container(id, ops.SGTMConfig{Active: true})
		f.platform(id, "ga4")
		f.attempted(id, relay.SGTM)
		f.attempted(id, "ga4")
	}
	unhealthy := func() int64 {
		counts, err := f.LiveCounts(t.Context())
		require.NoError(t, err)
		return counts.Unhealthy
	}
	require.EqualValues(t, 4, unhealthy())
	by := ops.Actor{By: "ann", Action: ops.ActionDelete}
	credential, container := int64(f.count("SELECT id FROM platform_credentials WHERE storefront_id = ?", bosley)), int64(f.count("SELECT id FROM storefront_sgtm_config WHERE storefront_id = ?", bosley))
	all := f.remembered()

	require.Error(t, f.Credentials().Delete(t.Context(), by, credential, func(ops.Record[ops.Credential]) error { return relay.ErrConflict }))
	require.Equal(t, all, f.remembered(), "a refused deletion changes nothing")
	require.NoError(t, f.Credentials().Delete(t.Context(), by, credential, func(ops.Record[ops.Credential]) error { return nil }))
	require.EqualValues(t, 3, unhealthy())
	require.NoError(t, f.SGTMConfigs().Delete(t.Context(), by, container, func(ops.Record[ops.SGTMConfig]) error { return nil }))
	require.EqualValues(t, 2, unhealthy())
	require.Equal(t, fmt.Sprintf("%[1]d/ga4,%[1]d/sgtm", pfizer), f.remembered())
	f.sick(bosley, relay.SGTM)
	f.sick(bosley, "ga4")
	replay, err := f.RecordSuccess(t.Context(), bosley, "ga4")
	require.NoError(t, err)
	require.Zero(t, replay)
	require.Equal(t, fmt.Sprintf("%[1]d/ga4,%[1]d/sgtm", pfizer), f.remembered(), "the attempts that were in flight bring nothing back")
}

func TestUpForgetsTheDestinationsThatWereDeletedBefore(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.container(bosley, ops.SGTMConfig{})
	f.platform(pfizer, "ga4")
	for _, id := range []int64{bosley, pfizer} {
		f.attempted(id, relay.SGTM)
		f.attempted(id, "ga4")
	}
	f.exec("DELETE FROM relay_migrations WHERE name = '20261129110000'")
	_, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%d/sgtm,%d/ga4", bosley, pfizer), f.remembered(), "switched off is not deleted")
}

func TestARecoveryLeavesOutWhatItsDestinationHasAccepted(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.platform(bosley, "ga4")
	f.sick(bosley, "ga4")
	failed := f.failedAt("f-1", bosley, "ga4", relay.ReasonExhausted)
	elsewhere := f.direct("f-2", bosley) // it failed at another destination, and this one has accepted it
	f.ended(elsewhere, relay.StatusFailed, relay.ReasonExhausted, relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted, Status: 200},
		relay.DeliveryResult{Destination: "meta", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted})
	list, _ := f.destinations(ops.DestinationQuery{Destination: "ga4"})
	require.Equal(t, 1, list[0].Failed)
	replay, err := f.RecordSuccess(t.Context(), bosley, "ga4")
	require.NoError(t, err)
	require.Equal(t, 1, f.step(replay, 10).Started)
	for id, want := range map[int64]relay.Status{failed: relay.StatusPending, elsewhere: relay.StatusFailed} {
		status, _ := f.status(id)
		require.Equal(t, want, status)
	}
}
