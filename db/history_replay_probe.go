package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// HeldProbes lists the unhealthy destinations whose probe is due and for which a replay holds events.
func (s *Store) HeldProbes(ctx context.Context, replay int64) ([]relay.UnhealthyDestination, error) {
	list, err := s.listUnhealthy(ctx, s.sql, `unhealthy_since IS NOT NULL AND probe_at <= UTC_TIMESTAMP(6) AND (storefront_id, destination) IN
		(SELECT held_storefront, held_destination FROM event_replay_items WHERE replay_id = ? AND held_storefront IS NOT NULL)`, replay)
	return list, wrap(fmt.Sprintf("list the probes of replay %d", replay), err)
}

// ProbeHeld starts one event that a replay holds for an unhealthy destination, as the probe of the destination. It returns
// false if the probe is not due, the replay is not running, or it holds no event. The next probe is due after the delay.
func (s *Store) ProbeHeld(ctx context.Context, id int64, p relay.Place, next time.Duration) (bool, error) {
	var probed bool
	err := s.tx(ctx, func(tx *sql.Tx) error {
		probed = false
		r, err := scanReplay(tx.QueryRowContext(ctx, "SELECT "+replayColumns+" FROM event_replays WHERE id = ? FOR UPDATE", id))
		if err != nil {
			return err
		}
		due, err := lockProbe(ctx, tx, p, false)
		if err != nil || !due || r.State != ops.ReplayRunning {
			return err
		}
		h := &holding{tx: tx, replay: r}
		ids, err := h.items(ctx, p, 1)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := h.start(ctx, ids); err != nil {
			return err
		}
		if probed = h.started == 1; probed {
			err = markProbe(ctx, tx, p, ids[0], next)
		}
		if err := errors.Join(err, h.count(ctx)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE event_replays SET started = started + ?, held = ? WHERE id = ?", h.started, h.replay.Held, id)
		return err
	})
	return probed, wrap(fmt.Sprintf("probe by replay %d", id), err)
}
