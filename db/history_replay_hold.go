package db

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

// closedPlaces returns the unhealthy destinations that receive their storefronts' events: a replay sent there would only be
// refused. A container that fails over to the platforms is not among them.
func (s *Store) closedPlaces(ctx context.Context) (map[relay.Place]bool, error) {
	sick, err := s.UnhealthyDestinations(ctx, 0)
	if err != nil || len(sick) == 0 {
		return nil, err
	}
	list, err := s.destinationPage(ctx, ops.DestinationQuery{Health: relay.Unhealthy, Limit: len(sick)})
	closed := map[relay.Place]bool{}
	for _, d := range list {
		receives, reason := withAdapter(d).Receives()
		handsOver := d.Destination == relay.SGTM && d.Switches.SGTM.DirectOnExhausted
		if receives && reason == "" && !handsOver {
			closed[d.Place] = true
		}
	}
	return closed, err
}

// holding is one step of a replay, within its transaction.
type holding struct {
	tx        *sql.Tx
	replay    replay
	unhealthy map[relay.Place]bool
	started   int
	held      int // added in this step
}

func (h *holding) result() ops.ReplayStep {
	r := h.replay.Replay
	return ops.ReplayStep{Started: h.started, Held: h.held, Walked: r.Walked && r.Held == 0, Replay: r}
}

// step starts held events whose destination is healthy again, continues the scan, and stores the cursor.
func (h *holding) step(ctx context.Context, w scan, n int) error {
	r := &h.replay
	if r.Walked && r.Held == 0 {
		return nil
	}
	if err := h.release(ctx, n); err != nil {
		return err
	}
	next := r.cursor
	if !r.Walked && h.started < n {
		hits, to, err := w.page(ctx, h.tx, r.cursor, n-h.started)
		if err != nil {
			return err
		}
		if err := h.startOrHold(ctx, positionIDs(hits)); err != nil {
			return err
		}
		next, r.Walked = to, to.IsZero()
	}
	r.Started += int64(h.started)
	if err := h.count(ctx); err != nil {
		return err
	}
	_, err := h.tx.ExecContext(ctx, "UPDATE event_replays SET started = ?, held = ?, walked = ?, cursor_at = ?, cursor_id = ? WHERE id = ?",
		r.Started, r.Held, r.Walked, sql.NullTime{Time: next.At, Valid: !next.IsZero()}, nullNumber(int(next.ID)), r.ID)
	return err
}

// count counts the held events of the replay.
func (h *holding) count(ctx context.Context) error {
	if h.replay.Held == 0 && h.held == 0 {
		return nil
	}
	return h.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM event_replay_items WHERE replay_id = ? AND held_storefront IS NOT NULL", h.replay.ID).
		Scan(&h.replay.Held)
}

// startOrHold starts or holds the matches of a scan.
func (h *holding) startOrHold(ctx context.Context, ids []int64) error {
	open, closed, err := h.partition(ctx, ids)
	if err != nil {
		return err
	}
	for _, place := range slices.SortedFunc(maps.Keys(closed), comparePlaces) {
		args := []any{}
		for _, id := range closed[place] {
			args = append(args, h.replay.ID, id, place.StorefrontID, place.Destination)
		}
		_, err := h.tx.ExecContext(ctx, `INSERT INTO event_replay_items (replay_id, marketing_event_id, held_storefront, held_destination) VALUES `+
			tuples("(?,?,?,?)", len(closed[place]))+" ON DUPLICATE KEY UPDATE replay_id = replay_id", args...)
		if err != nil {
			return err
		}
		h.held += len(closed[place])
	}
	started, err := h.setBack(ctx, open)
	if err != nil || len(started) == 0 {
		return err
	}
	args := make([]any, 0, 2*len(started))
	for _, event := range started {
		args = append(args, h.replay.ID, event)
	}
	// The item exists only if this replay has already started the event, which its cursor prevents unless the row's time was
	// changed.
	_, err = h.tx.ExecContext(ctx, "INSERT INTO event_replay_items (replay_id, marketing_event_id) VALUES "+tuples("(?,?)", len(started))+
		" ON DUPLICATE KEY UPDATE replay_id = replay_id", args...)
	return err
}

func comparePlaces(a, b relay.Place) int {
	if a.StorefrontID != b.StorefrontID {
		return int(a.StorefrontID - b.StorefrontID)
	}
	if a.Destination < b.Destination {
		return -1
	}
	return 1
}

// partition separates events that would go only to closed destinations. An event with an open destination starts now: the
// recovery of the closed ones sends it there later.
func (h *holding) partition(ctx context.Context, ids []int64) (open []int64, closed map[relay.Place][]int64, err error) {
	if len(h.unhealthy) == 0 || len(ids) == 0 {
		return ids, nil, nil
	}
	targets, err := readTargets(ctx, h.tx, ids, h.replay.Resend)
	if err != nil {
		return nil, nil, err
	}
	closed = map[relay.Place][]int64{}
	for _, id := range ids {
		if place, is := h.closedPlace(targets[id]); is {
			closed[place] = append(closed[place], id)
		} else {
			open = append(open, id)
		}
	}
	return open, closed, nil
}

// closedPlace returns the unhealthy destination of an event that would go nowhere else. A container that receives the
// storefront's events receives this one too, wherever it failed.
func (h *holding) closedPlace(t target) (relay.Place, bool) {
	container := relay.Place{StorefrontID: t.storefront, Destination: relay.SGTM}
	if h.unhealthy[container] {
		return container, true
	}
	for _, d := range t.destinations {
		if !h.unhealthy[relay.Place{StorefrontID: t.storefront, Destination: d}] {
			return relay.Place{}, false
		}
	}
	if len(t.destinations) == 0 {
		return relay.Place{}, false
	}
	return relay.Place{StorefrontID: t.storefront, Destination: t.destinations[0]}, true
}

// release starts held events of destinations that are no longer closed.
func (h *holding) release(ctx context.Context, n int) error {
	if h.replay.Held == 0 {
		return nil
	}
	places, err := h.places(ctx)
	if err != nil {
		return err
	}
	for _, place := range places {
		if h.unhealthy[place] || h.started >= n {
			continue
		}
		ids, err := h.items(ctx, place, n-h.started)
		if err != nil {
			return err
		}
		if err := h.start(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// places returns the places for which events of the replay are held.
func (h *holding) places(ctx context.Context) ([]relay.Place, error) {
	rows, err := h.tx.QueryContext(ctx, `SELECT DISTINCT held_storefront, held_destination FROM event_replay_items
		WHERE replay_id = ? AND held_storefront IS NOT NULL`, h.replay.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []relay.Place
	for rows.Next() {
		var p relay.Place
		if err := rows.Scan(&p.StorefrontID, &p.Destination); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// items returns the next n events that are held for a place.
func (h *holding) items(ctx context.Context, p relay.Place, n int) ([]int64, error) {
	return idsFrom(h.tx.QueryContext(ctx, `SELECT marketing_event_id FROM event_replay_items
		WHERE replay_id = ? AND held_storefront = ? AND held_destination = ? ORDER BY marketing_event_id LIMIT ?`,
		h.replay.ID, p.StorefrontID, p.Destination, n))
}

// start starts held events. Events that were retried otherwise, or deleted, are removed from the replay.
func (h *holding) start(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	started, err := h.setBack(ctx, ids)
	if err != nil {
		return err
	}
	if len(started) > 0 {
		_, err = h.tx.ExecContext(ctx, `UPDATE event_replay_items SET held_storefront = NULL, held_destination = NULL
			WHERE replay_id = ? AND marketing_event_id IN (`+tuples("?", len(started))+")", append([]any{h.replay.ID}, numbers(started)...)...)
		if err != nil {
			return err
		}
	}
	gone := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(started, id) })
	if len(gone) == 0 {
		return nil
	}
	_, err = h.tx.ExecContext(ctx, "DELETE FROM event_replay_items WHERE replay_id = ? AND marketing_event_id IN ("+tuples("?", len(gone))+")",
		append([]any{h.replay.ID}, numbers(gone)...)...)
	return err
}

// setBack resets events to pending and counts them.
func (h *holding) setBack(ctx context.Context, ids []int64) ([]int64, error) {
	started, err := setBackRows(ctx, h.tx, ids, h.replay.Pick().Statuses, h.replay.Resend)
	h.started += len(started)
	return started, err
}
