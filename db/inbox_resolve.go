package db

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"relay/internal/relay"
)

// failure is a row that can never be delivered, with the reason.
type failure struct {
	id     int64
	reason relay.Reason
	detail string
}

// failRows ends rows that can never be delivered; OMS reads the reason there.
func failRows(ctx context.Context, tx *sql.Tx, failures []failure) error {
	groups := map[failure][]any{} // by reason and detail
	for _, f := range failures {
		key := failure{reason: f.reason, detail: f.detail}
		groups[key] = append(groups[key], f.id)
	}
	for f, ids := range groups {
		for chunk := range slices.Chunk(ids, maxRows) {
			_, err := tx.ExecContext(ctx, `UPDATE marketing_events SET status = 'failed', reason = ?, detail = ?,
				finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
				WHERE id IN (`+tuples("?", len(chunk))+")", append([]any{string(f.reason), f.detail}, chunk...)...)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// resolveBound bounds the pages of rows without storefront_id that one round resolves: 100,000 rows, a few seconds.
const resolveBound = 100

// resolveCodes writes the id into pending rows that name their storefront only by its code. Rows with an unknown code become
// failed.
func (s *Store) resolveCodes(ctx context.Context) error {
	for range resolveBound {
		full := false
		err := s.tx(ctx, func(tx *sql.Tx) error {
			byCode, n, err := codeRows(ctx, tx)
			if err != nil {
				return err
			}
			full = n == maxRows
			return resolve(ctx, tx, byCode)
		})
		if err != nil || !full {
			return err
		}
	}
	return nil
}

const codeRowsSQL = `SELECT id, storefront_code FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = 'pending' AND storefront_id IS NULL ORDER BY claimed_until, id LIMIT ? FOR UPDATE SKIP LOCKED`

// codeRows locks a page of rows without storefront_id and returns their ids by code.
func codeRows(ctx context.Context, tx *sql.Tx) (map[string][]any, int, error) {
	rows, err := tx.QueryContext(ctx, codeRowsSQL, maxRows)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	byCode, n := map[string][]any{}, 0
	for rows.Next() {
		var id int64
		var code sql.NullString
		if err := rows.Scan(&id, &code); err != nil {
			return nil, 0, err
		}
		key := strings.TrimSpace(code.String)
		byCode[key] = append(byCode[key], id)
		n++
	}
	return byCode, n, rows.Err()
}

func resolve(ctx context.Context, tx *sql.Tx, byCode map[string][]any) error {
	if len(byCode) == 0 {
		return nil
	}
	codes := slices.Sorted(maps.Keys(byCode))
	known, err := storefrontIDs(ctx, tx, codes)
	if err != nil {
		return err
	}
	var unknown []failure
	for _, code := range codes {
		ids := byCode[code]
		storefront, ok := known[code]
		if !ok {
			for _, id := range ids {
				unknown = append(unknown, failure{id.(int64), relay.ReasonUnknownStorefront, fmt.Sprintf("no storefront has the code %q", code)})
			}
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE marketing_events SET storefront_id = ?, updated_at = UTC_TIMESTAMP(6)
			WHERE id IN (`+tuples("?", len(ids))+")", append([]any{storefront}, ids...)...)
		if err != nil {
			return err
		}
	}
	return failUnknown(ctx, tx, unknown)
}

// failUnknown fails rows of unknown storefronts; those that were erased before are erased again.
func failUnknown(ctx context.Context, tx *sql.Tx, unknown []failure) error {
	for chunk := range slices.Chunk(unknown, maxRows) {
		ids := make([]int64, len(chunk))
		for i, f := range chunk {
			ids[i] = f.id
		}
		direct, err := directRows(ctx, tx, ids)
		if err != nil {
			return err
		}
		refused, err := refuseErased(ctx, tx, direct)
		if err != nil {
			return err
		}
		if err := failRows(ctx, tx, slices.DeleteFunc(chunk, func(f failure) bool { return refused[f.id] })); err != nil {
			return err
		}
	}
	return nil
}

func directRows(ctx context.Context, tx *sql.Tx, ids []int64) ([]directRow, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, event_id, event_type, erased_at IS NOT NULL FROM marketing_events WHERE id IN ("+tuples("?", len(ids))+")", numbers(ids)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []directRow
	for rows.Next() {
		var id int64
		var event, kind string
		var erased bool
		if err := rows.Scan(&id, &event, &kind, &erased); err != nil {
			return nil, err
		}
		list = append(list, newDirectRow(id, event, kind, erased))
	}
	return list, rows.Err()
}

// StorefrontIDs resolves storefront codes, of active and inactive storefronts. Unknown codes are left out.
func (s *Store) StorefrontIDs(ctx context.Context, codes []string) (map[string]int64, error) {
	ids, err := storefrontIDs(ctx, s.sql, codes)
	return ids, wrap("look up storefronts", err)
}

func storefrontIDs(ctx context.Context, q querier, codes []string) (map[string]int64, error) {
	ids := make(map[string]int64, len(codes))
	for chunk := range slices.Chunk(codes, maxRows) {
		if err := addStorefrontIDs(ctx, q, chunk, ids); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func addStorefrontIDs(ctx context.Context, q querier, codes []string, ids map[string]int64) error {
	args := make([]any, len(codes))
	asked := make(map[string]bool, len(codes))
	for i, code := range codes {
		args[i], asked[code] = code, true
	}
	rows, err := q.QueryContext(ctx, "SELECT storefront_id, id FROM storefronts WHERE storefront_id IN ("+tuples("?", len(codes))+")", args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var code string
		var id int64
		if err := rows.Scan(&code, &id); err != nil {
			return err
		}
		if asked[code] { // the column ignores trailing spaces, and in an older table perhaps case
			ids[code] = id
		}
	}
	return rows.Err()
}
