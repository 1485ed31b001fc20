package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Rotation is the progress of a key rotation.
type Rotation struct {
	Done, Of   int      // values read, of all values at its start
	Rotated    int      // values that it encrypted again
	First      int      // values encrypted with the first key now
	Unreadable []string // unreadable values, as "table id column"
}

// sealedColumn is a column of secrets, with the function that encrypts one of its values with the first key.
type sealedColumn struct {
	table, column string
	renew         func(*Keys, string) (string, error)
}

// sealedColumns are all columns of secrets.
var sealedColumns = []sealedColumn{
	{"platform_credentials", "credentials", func(k *Keys, s string) (string, error) { return k.renewObject(s, true) }},
	{"storefront_sgtm_config", "api_secret", (*Keys).renew},
	{"storefront_sgtm_config", "custom_headers", func(k *Keys, s string) (string, error) { return k.renewObject(s, false) }},
	{"event_erasures", "subject", (*Keys).renew},
}

const (
	rotatePage = 50
	// rotateAttempts bounds the attempts at a value that another writer has changed meanwhile.
	rotateAttempts = 10
)

// RotateKeys encrypts every secret that is not encrypted with the first key yet, including unencrypted ones, while the
// service runs: a value that an admin writes meanwhile wins. It may be interrupted at any moment and started again. The line
// is added to the audit with the first value that changes. progress is called after each page; an unreadable value is left
// unchanged, and reported.
func (s *Store) RotateKeys(ctx context.Context, line ops.AuditEntry, progress func(Rotation)) (Rotation, error) {
	r := rotation{store: s, line: &line}
	if len(s.keys.keys) == 0 {
		return r.Rotation, errors.New("rotate keys: no encryption key")
	}
	for _, c := range sealedColumns {
		var n int
		if err := s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+c.table+c.filled()).Scan(&n); err != nil {
			return r.Rotation, wrap("rotate keys", err)
		}
		r.Of += n
	}
	for _, c := range sealedColumns {
		if err := r.scan(ctx, c, progress); err != nil {
			return r.Rotation, wrap("rotate keys", err)
		}
	}
	return r.Rotation, nil
}

func (c sealedColumn) filled() string { return " WHERE " + c.column + " <> ''" }

// rotation is a rotation in progress.
type rotation struct {
	Rotation
	store *Store
	line  *ops.AuditEntry // nil once it is written
}

// stored is a value and its row.
type stored struct {
	id    int64
	value string
}

func (r *rotation) scan(ctx context.Context, c sealedColumn, progress func(Rotation)) error {
	for last := int64(-1 << 62); ; {
		page, err := r.page(ctx, c, last)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			if err := r.value(ctx, c, v); err != nil {
				return fmt.Errorf("%s %d %s: %w", c.table, v.id, c.column, err)
			}
		}
		last = page[len(page)-1].id
		r.Done += len(page)
		r.Of = max(r.Of, r.Done)
		progress(r.Rotation)
	}
}

func (r *rotation) page(ctx context.Context, c sealedColumn, last int64) ([]stored, error) {
	rows, err := r.store.sql.QueryContext(ctx, "SELECT id, "+c.column+" FROM "+c.table+c.filled()+" AND id > ? ORDER BY id LIMIT ?", last, rotatePage)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var page []stored
	for rows.Next() {
		var v stored
		if err := rows.Scan(&v.id, &v.value); err != nil {
			return nil, err
		}
		page = append(page, v)
	}
	return page, rows.Err()
}

// value encrypts one value with the first key, and retries if another writer was faster.
func (r *rotation) value(ctx context.Context, c sealedColumn, v stored) error {
	for range rotateAttempts {
		fresh, err := c.renew(r.store.keys, v.value)
		if errors.Is(err, relay.ErrUnreadable) {
			r.Unreadable = append(r.Unreadable, fmt.Sprintf("%s %d %s", c.table, v.id, c.column))
			return nil
		}
		if err != nil {
			return err
		}
		if fresh == v.value {
			r.First++
			return nil
		}
		swapped, err := r.swap(ctx, c, v, fresh)
		if err != nil {
			return err
		}
		if swapped {
			r.Rotated++
			r.First++
			return nil
		}
		var now sql.NullString
		err = r.store.sql.QueryRowContext(ctx, "SELECT "+c.column+" FROM "+c.table+" WHERE id = ?", v.id).Scan(&now)
		if errors.Is(err, sql.ErrNoRows) || err == nil && now.String == "" { // deleted meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		v.value = now.String
	}
	return errors.New("it keeps being changed by other writers")
}

// swap replaces a value if the old one is still stored, byte for byte. updated_at is the time of an admin's last write, and
// does not change.
func (r *rotation) swap(ctx context.Context, c sealedColumn, v stored, fresh string) (bool, error) {
	var found int64
	err := r.store.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, strings.NewReplacer("TABLE", c.table, "COLUMN", c.column).Replace(
			"UPDATE TABLE SET COLUMN = ? WHERE id = ? AND CAST(CONVERT(COLUMN USING utf8mb4) AS BINARY) = CAST(? AS BINARY)"), fresh, v.id, v.value)
		if err != nil {
			return err
		}
		if found, err = res.RowsAffected(); err != nil || found == 0 || r.line == nil {
			return err
		}
		return r.store.writeAudit(ctx, tx, *r.line)
	})
	if err == nil && found == 1 {
		r.line = nil
	}
	return found == 1, err
}
