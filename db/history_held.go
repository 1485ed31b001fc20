package db

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"relay/internal/relay"
)

// heldBound is the number of a storefront's events in delivery that are looked at: four times the default of MAX_IN_FLIGHT.
const heldBound = 2000

// heldSQL finds the oldest events of a storefront that wait for a credential or for the database. Such an event is in delivery
// and takes its lease again with every attempt, so it is among the latest leases, before the events that wait for a retry. A
// wait that ended two minutes ago without another attempt is another destination's by now, or no worker runs.
const heldSQL = `SELECT waiting_for, MIN(created_at), TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) FROM (
		SELECT waiting_for, next_attempt_at, created_at FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' AND storefront_id = ? AND claimed_until > UTC_TIMESTAMP(6) - INTERVAL 2 MINUTE
		ORDER BY claimed_until DESC LIMIT ?) p
	WHERE waiting_for IN ('` + string(relay.WaitsForCredential) + `', '` + string(relay.WaitsForDatabase) + `')
	AND next_attempt_at > UTC_TIMESTAMP(6) - INTERVAL 2 MINUTE GROUP BY waiting_for`

// held is the oldest event that waits for the same condition.
type held struct {
	waitsFor relay.WaitsFor
	since    time.Time
	age      time.Duration
}

func (s *Store) held(ctx context.Context, storefront int64) ([]held, error) {
	rows, err := s.sql.QueryContext(ctx, heldSQL, storefront, heldBound)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []held
	for rows.Next() {
		var h held
		var age int64
		if err := rows.Scan(&h.waitsFor, &h.since, &age); err != nil {
			return nil, err
		}
		h.age = time.Duration(max(0, age)) * time.Microsecond
		list = append(list, h)
	}
	return list, rows.Err()
}

// nextOpenSQL finds the lowest storefront above one that has rows of a status, in one step of the claim key.
const nextOpenSQL = `SELECT storefront_id FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = ? AND storefront_id > ? ORDER BY storefront_id LIMIT 1`

// openStorefronts lists the storefronts that have rows of a status.
func (s *Store) openStorefronts(ctx context.Context, status relay.Status) ([]int64, error) {
	var list []int64
	for id := int64(math.MinInt32) - 1; ; {
		err := s.sql.QueryRowContext(ctx, nextOpenSQL, string(status), id).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, id)
	}
}
