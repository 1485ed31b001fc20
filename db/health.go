package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relay"
)

// failureSQL counts a failure. MySQL assigns from left to right, so failures is counted before it is compared.
const failureSQL = `INSERT INTO destination_health (storefront_id, destination, failures, failing_since, unhealthy_since, probe_at, reason)
	VALUES (?, ?, 1, UTC_TIMESTAMP(6), IF(?, UTC_TIMESTAMP(6), NULL), IF(?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND, NULL), ?)
	ON DUPLICATE KEY UPDATE
	failures = failures + 1,
	failing_since = COALESCE(failing_since, UTC_TIMESTAMP(6)),
	probe_at = IF(unhealthy_since IS NULL AND (failures >= ? OR ?), UTC_TIMESTAMP(6) + INTERVAL ? SECOND, probe_at),
	unhealthy_since = IF(unhealthy_since IS NULL AND (failures >= ? OR ?), UTC_TIMESTAMP(6), unhealthy_since),
	reason = VALUES(reason), updated_at = UTC_TIMESTAMP(6)`

// RecordFailure counts a retryable failure at a destination, which makes it unhealthy after relay.UnhealthyAfter in a row;
// with down it is unhealthy at once.
func (s *Store) RecordFailure(ctx context.Context, storefront int64, destination string, reason relay.Reason, down bool) error {
	const probe = int(relay.ProbeEvery / time.Second)
	_, err := s.exec(ctx, failureSQL, storefront, destination, down, down, probe, nullText(string(reason)),
		relay.UnhealthyAfter, down, probe, relay.UnhealthyAfter, down)
	return fail("record a failure of "+destination, err)
}

// RecordSuccess ends a row of failures. Where the destination was unhealthy, and this call made it healthy, it begins the
// replay of what failed meanwhile, in the same transaction, and gives its id; else 0. Of several calls at once, one does.
func (s *Store) RecordSuccess(ctx context.Context, storefront int64, destination string) (int64, error) {
	var replay int64
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var now time.Time
		var failing, unhealthy sql.NullTime
		err := tx.QueryRowContext(ctx, `SELECT UTC_TIMESTAMP(6), failing_since, unhealthy_since FROM destination_health
			WHERE storefront_id = ? AND destination = ? FOR UPDATE`, storefront, destination).Scan(&now, &failing, &unhealthy)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE destination_health SET failures = 0, failing_since = NULL, unhealthy_since = NULL,
			probe_at = NULL, reason = NULL, updated_at = UTC_TIMESTAMP(6) WHERE storefront_id = ? AND destination = ?`,
			storefront, destination)
		if err != nil || !unhealthy.Valid {
			return err
		}
		r := relay.RecoveryReplay(storefront, destination, failing.Time)
		// What fails until the last worker has heard of the recovery is meant, too.
		r.Filter.To = now.Add(relay.ProbeEvery)
		replay, err = insertReplay(ctx, tx, r)
		return err
	})
	if err != nil {
		return 0, fail("record a success of "+destination, err)
	}
	return replay, nil
}

// Probe says whether this try may find out how an unhealthy destination is: one each relay.ProbeEvery may.
func (s *Store) Probe(ctx context.Context, storefront int64, destination string) (bool, error) {
	found, err := s.exec(ctx, `UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL AND probe_at <= UTC_TIMESTAMP(6)`,
		int(relay.ProbeEvery/time.Second), storefront, destination)
	return found == 1, fail("probe "+destination, err)
}

// ProbeNow lets the next event find out how an unhealthy destination is: what made it so may be mended.
func (s *Store) ProbeNow(ctx context.Context, storefront int64, destination string) error {
	_, err := s.exec(ctx, `UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6)
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL AND probe_at > UTC_TIMESTAMP(6)`, storefront, destination)
	return fail("let "+destination+" be probed", err)
}

// UnhealthySince is when the failures began that made a destination unhealthy; zero for a healthy one.
func (s *Store) UnhealthySince(ctx context.Context, storefront int64, destination string) (time.Time, error) {
	var since time.Time
	err := s.sql.QueryRowContext(ctx, `SELECT COALESCE(failing_since, unhealthy_since) FROM destination_health
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL`, storefront, destination).Scan(&since)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return since, fail("read the health of "+destination, err)
}
