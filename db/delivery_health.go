package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// failureSQL counts a failure. MySQL assigns from left to right: failures is counted before it is compared, and
// unhealthy_since is set after the columns that depend on its old value. A destination whose settings were deleted during the
// attempt gets no row, because nothing would remove that row again.
const failureSQL = `INSERT INTO destination_health
	(storefront_id, destination, failures, failing_since, unhealthy_since, probe_at, reason, last_status, failed_at)
	SELECT ?, ?, 1, UTC_TIMESTAMP(6), IF(?, UTC_TIMESTAMP(6), NULL), IF(?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, NULL), ?, ?, UTC_TIMESTAMP(6) FROM DUAL
	WHERE EXISTS (SELECT 1 FROM storefront_sgtm_config c WHERE c.storefront_id = ? AND ? = '` + relay.SGTM + `') OR EXISTS (
	SELECT 1 FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id = ? AND p.code = ?)
	ON DUPLICATE KEY UPDATE
	failures = failures + 1,
	failing_since = COALESCE(failing_since, UTC_TIMESTAMP(6)),
	probe_at = IF(unhealthy_since IS NULL AND (` + opens + `), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, probe_at),
	unhealthy_since = IF(unhealthy_since IS NULL AND (` + opens + `), UTC_TIMESTAMP(6), unhealthy_since),
	reason = VALUES(reason), last_status = VALUES(last_status), failed_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)`

// opens is true if a counted failure makes its destination unhealthy: there are enough failures over enough time, or a
// single one suffices.
const opens = "? OR failures >= ? AND failing_since <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND"

// RecordFailure counts a retryable failure at a destination. After relay.UnhealthyAfter failures in a row, over at least the
// duration that the failure names, the destination is unhealthy. A failure that is Down makes it unhealthy at once. A failure at a
// destination without settings is not counted.
func (s *Store) RecordFailure(ctx context.Context, storefront int64, destination string, f relay.Failure) error {
	probe, open := f.Probe.Microseconds(), []any{f.Down, relay.UnhealthyAfter, f.Lasted.Microseconds()}
	args := []any{storefront, destination, f.Down, f.Down, probe, nullText(string(f.Reason)), nullNumber(f.Status), storefront, destination, storefront, destination}
	args = append(append(append(args, open...), probe), open...)
	_, err := s.exec(ctx, failureSQL, args...)
	return wrap("record a failure of "+destination, err)
}

// RecordSuccess resets the failures of a destination. If the destination was unhealthy and this call made it healthy, it
// creates the replay of the events that failed meanwhile, in the same transaction, and returns its id; otherwise 0. Of
// several concurrent calls, one does.
func (s *Store) RecordSuccess(ctx context.Context, storefront int64, destination string) (int64, error) {
	var replay int64
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var now time.Time
		var failing, unhealthy sql.NullTime
		err := tx.QueryRowContext(ctx, `SELECT UTC_TIMESTAMP(6), failing_since, unhealthy_since FROM destination_health
			WHERE storefront_id = ? AND destination = ? FOR UPDATE`, storefront, destination).Scan(&now, &failing, &unhealthy)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // its settings were deleted during the attempt
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE destination_health SET failures = 0, failing_since = NULL, unhealthy_since = NULL,
			probe_at = NULL, probes = 0, probe_event_id = NULL, sought_at = NULL, reason = NULL, last_status = NULL,
			recovered_at = IF(?, UTC_TIMESTAMP(6), recovered_at), updated_at = UTC_TIMESTAMP(6) WHERE storefront_id = ? AND destination = ?`, unhealthy.Valid, storefront, destination)
		if err != nil || !unhealthy.Valid {
			return err
		}
		r := ops.RecoveryReplay(storefront, destination, failing.Time)
		r.Filter.To = now.Add(relay.RecoveryMargin)
		replay, err = insertReplay(ctx, tx, r)
		return err
	})
	if err != nil {
		return 0, wrap("record a success of "+destination, err)
	}
	return replay, nil
}

// ProbeNow makes the probe of an unhealthy destination due: its settings may have been fixed.
func (s *Store) ProbeNow(ctx context.Context, storefront int64, destination string) error {
	_, err := s.exec(ctx, `UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6), sought_at = NULL
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL AND probe_at > UTC_TIMESTAMP(6)`, storefront, destination)
	return wrap("make the probe of "+destination+" due", err)
}

// UnhealthySince returns the time of the first of the failures that made a destination unhealthy; zero for a healthy one.
func (s *Store) UnhealthySince(ctx context.Context, storefront int64, destination string) (time.Time, error) {
	var since time.Time
	err := s.sql.QueryRowContext(ctx, `SELECT COALESCE(failing_since, unhealthy_since) FROM destination_health
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL`, storefront, destination).Scan(&since)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return since, wrap("read the health of "+destination, err)
}

// forgetDestination removes the health and the activity of a destination whose settings were deleted: nothing is sent there any
// more, so it would stay unhealthy for ever, where no list of destinations shows it.
func forgetDestination(ctx context.Context, q querier, p relay.Place) error {
	for _, table := range []string{"destination_health", "destination_activity"} {
		if _, err := q.ExecContext(ctx, "DELETE FROM "+table+" WHERE storefront_id = ? AND destination = ?", p.StorefrontID, p.Destination); err != nil {
			return err
		}
	}
	return nil
}
