package db

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// openSQL counts open events by storefront, by the claim key alone and as far as its bound.
const openSQL = `SELECT COALESCE(storefront_id, 0), COUNT(*) FROM (SELECT storefront_id FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = ? LIMIT ?) p GROUP BY 1`

// retriesSQL counts the events that wait for a retry, by the destinations whose delivery has not ended.
const retriesSQL = `SELECT COALESCE(e.storefront_id, 0), r.destination, COUNT(DISTINCT e.id), MIN(e.next_attempt_at)
	FROM (SELECT id, storefront_id, generation, waiting_for, next_attempt_at FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' LIMIT ?) e
	STRAIGHT_JOIN event_attempts r FORCE INDEX (ix_event_attempts_event) ON r.marketing_event_id = e.id AND r.generation = e.generation AND r.outcome = 'retry'
	WHERE e.waiting_for = 'retry' AND r.destination IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event_attempts a FORCE INDEX (ix_event_attempts_event)
		WHERE a.marketing_event_id = e.id AND a.destination = r.destination AND ` + endedThere + ") GROUP BY 1, 2"

// Backlog counts the events that have not ended, by the same few statements however many storefronts there are.
func (s *Store) Backlog(ctx context.Context) (ops.OpenReport, error) {
	r, err := s.backlog(ctx)
	return r, wrap("read the backlog", err)
}

func (s *Store) backlog(ctx context.Context) (ops.OpenReport, error) {
	var r ops.OpenReport
	if err := s.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&r.At); err != nil {
		return r, err
	}
	codes, err := s.storefrontCodes(ctx)
	if err != nil {
		return r, err
	}
	open := map[int64]*ops.OpenEvents{}
	of := func(storefront int64) *ops.OpenEvents {
		if codes[storefront] == "" {
			return &r.Unknown
		}
		if open[storefront] == nil {
			open[storefront] = &ops.OpenEvents{StorefrontID: storefront, StorefrontCode: codes[storefront]}
		}
		return open[storefront]
	}
	if err := s.addOpen(ctx, &r, of); err != nil {
		return r, err
	}
	for _, o := range open {
		r.Storefronts = append(r.Storefronts, *o)
	}
	slices.SortFunc(r.Storefronts, func(a, b ops.OpenEvents) int { return cmp.Compare(a.StorefrontCode, b.StorefrontCode) })
	r.Retries, err = s.retries(ctx, codes)
	return r, err
}

// addOpen counts the events of each status, and finds the oldest pending ones.
func (s *Store) addOpen(ctx context.Context, r *ops.OpenReport, of func(int64) *ops.OpenEvents) error {
	for status, field := range map[relay.Status]func(*ops.OpenEvents) *int64{
		relay.StatusPending:    func(o *ops.OpenEvents) *int64 { return &o.Pending },
		relay.StatusProcessing: func(o *ops.OpenEvents) *int64 { return &o.Processing },
	} {
		var sum int64
		err := eachStorefront(ctx, s, openSQL, []any{string(status), boundOfAll}, func(storefront, n int64) {
			*field(of(storefront)) += n
			sum += n
		})
		if err != nil {
			return err
		}
		bound := map[relay.Status]int64{relay.StatusPending: boundOfAll, relay.StatusProcessing: ops.RetriesBound}[status]
		r.More = r.More || sum >= bound
	}
	return eachStorefront(ctx, s, oldestOfAll, nil, func(storefront int64, at time.Time) {
		if o := of(storefront); o.Oldest.IsZero() || at.Before(o.Oldest) {
			o.Oldest = at
		}
	})
}

func (s *Store) retries(ctx context.Context, codes map[int64]string) ([]ops.RetryBacklog, error) {
	rows, err := s.sql.QueryContext(ctx, retriesSQL, ops.RetriesBound)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []ops.RetryBacklog
	for rows.Next() {
		var b ops.RetryBacklog
		var next sql.NullTime
		if err := rows.Scan(&b.StorefrontID, &b.Destination, &b.Events, &next); err != nil {
			return nil, err
		}
		b.StorefrontCode, b.Next = codes[b.StorefrontID], next.Time
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b ops.RetryBacklog) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.StorefrontCode, b.StorefrontCode), cmp.Compare(a.Destination, b.Destination))
	})
	return list, rows.Err()
}
