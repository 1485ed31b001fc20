package db

import (
	"time"

	"relay/internal/ops"
)

// KeyedQuery is a statement with the keys by which it reads each table, by the table's name in the statement; several with
// commas.
type KeyedQuery struct {
	Query
	Keys map[string]string
}

// RestQueries returns statements of the admin API for one storefront and for all.
func RestQueries(storefront int64) map[string]KeyedQuery {
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
	return queries
}
