package db

import (
	"cmp"
	"context"
	"slices"

	"relay/internal/ops"
)

const lastAttemptsSQL = ` ON DUPLICATE KEY UPDATE last_attempt_at = GREATEST(last_attempt_at, VALUES(last_attempt_at)), last_accepted_at =
	COALESCE(GREATEST(last_accepted_at, VALUES(last_accepted_at)), last_accepted_at, VALUES(last_accepted_at))`

// NoteAttempts notes when destinations were last attempted. Workers may call it in any order: later times stay. Those of a storefront
// that does not exist are dropped.
func (s *Store) NoteAttempts(ctx context.Context, last map[ops.AttemptPlace]ops.LastAttempts) error {
	const act = "note the latest attempts"
	var codes []string
	var places []ops.AttemptPlace
	for place := range last {
		places = append(places, place)
		codes = append(codes, place.Storefront)
	}
	ids, err := s.StorefrontIDs(ctx, slices.Compact(slices.Sorted(slices.Values(codes))))
	if err != nil {
		return wrap(act, err)
	}
	places = slices.DeleteFunc(places, func(p ops.AttemptPlace) bool { return ids[p.Storefront] == 0 })
	slices.SortFunc(places, func(a, b ops.AttemptPlace) int { // of the key, as in AddAttempts
		return cmp.Or(cmp.Compare(ids[a.Storefront], ids[b.Storefront]), cmp.Compare(a.Destination, b.Destination))
	})
	for chunk := range slices.Chunk(places, maxRows) {
		var args []any
		for _, p := range chunk {
			args = append(args, ids[p.Storefront], cut(p.Destination, 50), last[p].Attempt.UTC(), nullTime(last[p].Accepted))
		}
		_, err := s.exec(ctx, "INSERT INTO destination_activity (storefront_id, destination, last_attempt_at, last_accepted_at) VALUES "+
			tuples("(?,?,?,?)", len(chunk))+lastAttemptsSQL, args...)
		if err != nil {
			return wrap(act, err)
		}
	}
	return nil
}
