package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// KeyedQuery is a statement with the keys by which it reads each table, by the table's name in the statement; several with
// commas.
type KeyedQuery struct {
	Query
	Keys map[string]string
}

// RestQueries returns statements of the admin API for one storefront and for all.
func (s *Store) RestQueries(t *testing.T, storefront int64) map[string]KeyedQuery {
	ctx := t.Context()
	now := time.Now().UTC().Truncate(time.Hour)
	queries := map[string]KeyedQuery{}
	add := func(name string, keys map[string]string, sql string, args []any) {
		queries[name] = KeyedQuery{Query{sql, args}, keys}
	}
	for _, step := range []ops.Step{ops.StepHour, ops.StepDay} {
		for _, by := range []ops.Dimension{ops.ByOutcome, ops.ByReason, ops.ByDestination, ops.ByStorefront} {
			q := ops.SeriesQuery{From: now.Add(-24 * time.Hour), To: now, Step: step, By: by}
			query, args := seriesSQL(q)
			add("series of all by "+string(step)+" and "+string(by), map[string]string{"event_stats": "PRIMARY"}, query, args)
			q.StorefrontID = storefront
			query, args = seriesSQL(q)
			add("series of one by "+string(step)+" and "+string(by), map[string]string{"event_stats": "ix_event_stats_storefront"}, query, args)
		}
	}
	query, args := destinationPageSQL(ops.DestinationQuery{Issue: ops.IssueQuiet, Storefronts: 50})
	add("quiet destinations", map[string]string{"event_stats": "PRIMARY"}, query, args)
	query, args = inFlightOf([]int64{storefront, storefront + 1})
	add("events in delivery", map[string]string{"marketing_events": "ix_marketing_events_claim"}, query, args)
	add("pending by storefront", map[string]string{"marketing_events": "ix_marketing_events_claim"}, openSQL, []any{"pending", 100})
	add("retries", map[string]string{"marketing_events": "ix_marketing_events_claim", "r": "ix_event_attempts_event", "a": "ix_event_attempts_event"}, retriesSQL, []any{100})
	query, args = replaysSQL(ops.ReplayQuery{States: []ops.ReplayState{ops.ReplayRunning}, Before: 100, Limit: 10})
	add("replays", map[string]string{"event_replays": "PRIMARY,ix_event_replays_state"}, query, args)
	query, args = erasuresSQL(ops.ErasureQuery{State: ops.ErasureDone, Before: 100, Limit: 10})
	add("erasures", map[string]string{"event_erasures": "PRIMARY,ix_event_erasures_state"}, query, args)
	query, args = replayItemsSQL(1, 100, 10)
	add("events of a replay", map[string]string{"i": "PRIMARY", "e": "PRIMARY"}, query, args)
	query, args = liveAttempts(1_000_000, []int64{5, 6}, 700)
	add("newest attempts", map[string]string{"a": "PRIMARY"}, query, args)
	add("live counts", map[string]string{"marketing_events": "ix_marketing_events_claim"}, liveCountsSQL, []any{100, 100})
	add("live replays", map[string]string{"event_replays": "ix_event_replays_ended"}, liveReplaysSQL, nil)
	query, args = attemptStatsSQL(ops.AttemptsQuery{From: now.Add(-time.Hour), To: now, Step: ops.StepMinute})
	add("attempts of all", map[string]string{"attempt_stats": "PRIMARY"}, query, args)
	query, args = attemptStatsSQL(ops.AttemptsQuery{From: now.Add(-time.Hour), To: now, Step: ops.StepHour, StorefrontID: storefront})
	add("attempts of one", map[string]string{"attempt_stats": "ix_attempt_stats_storefront"}, query, args)
	query, args = historyOf(ops.DestinationStatus{StorefrontCode: "bosley", Place: relay.Place{StorefrontID: storefront, Destination: "ga4"},
		Levels: []ops.LevelStatus{{Level: ops.LevelStorefront, EntityID: storefront}, {Level: ops.LevelPlatform, EntityID: 1}, {Level: ops.LevelCredential, EntityID: 1}}}, 10)
	add("history of a destination", map[string]string{"admin_audit": "ix_admin_audit_entity"}, query, args)
	const created, status, ofStorefront = "ix_marketing_events_created", "ix_marketing_events_status", "ix_marketing_events_storefront"
	for name, c := range map[string]struct {
		filter ops.Filter
		key    string
	}{
		"count all":          {ops.Filter{}, created},
		"count by status":    {ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}, status},
		"count a storefront": {ops.Filter{StorefrontID: storefront, Destination: "ga4"}, ofStorefront},
		"count by type":      {ops.Filter{Type: "x", From: now}, created},
		"count waiting":      {ops.Filter{Statuses: []relay.Status{relay.StatusProcessing}, WaitingAt: "ga4"}, status},
		"count at container": {ops.Filter{Statuses: []relay.Status{relay.StatusProcessing}, WaitingAt: relay.SGTM}, status},
	} {
		w, err := s.plan(ctx, c.filter, true)
		require.NoError(t, err)
		query, _, args := w.counting()
		add(name, map[string]string{"e": c.key}, query, args)
	}
	return queries
}
