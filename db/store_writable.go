package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"relay/internal/relay"
)

// Bounds of the write check.
const (
	writeCheckEvery   = 3 * time.Second  // the result of a check is valid until then
	writeCheckTimeout = 15 * time.Second // of a check that hangs, as on a full disk: there is one at a time
	writeCheckRows    = 16
	writeCheckBytes   = 16 << 10
)

// writeCheck caches whether the database is writable.
type writeCheck struct {
	mu   sync.Mutex
	at   time.Time
	err  error
	done chan struct{} // of the running check; nil without one
}

// Writable reports whether an event can be stored now: relay.ErrUnavailable if the server does not respond,
// *relay.Unwritable if it responds and refuses. It costs the server a small transaction every three seconds, regardless of
// the number of callers. A check that hangs is not repeated until it ends.
func (s *Store) Writable(ctx context.Context) error {
	w := &s.writes
	w.mu.Lock()
	if w.done == nil && time.Since(w.at) < writeCheckEvery {
		defer w.mu.Unlock()
		return w.err
	}
	if w.done == nil {
		w.done = make(chan struct{})
		go s.checkWrites(context.WithoutCancel(ctx))
	}
	done := w.done
	w.mu.Unlock()
	select {
	case <-done:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	case <-ctx.Done():
		return &relay.Unwritable{Why: relay.WriteStalled}
	}
}

func (s *Store) checkWrites(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeCheckTimeout)
	defer cancel()
	err := s.notice(s.testWrite(ctx))
	switch {
	case isNumber(err, errNoSuchTable, 1054): // not migrated yet, which Current reports
		err = nil
	case err != nil:
		err = wrap("write to the database", s.refusal(ctx, err))
	}
	w := &s.writes
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.err = time.Now(), err
	close(w.done)
	w.done = nil
}

// testWrite inserts an event and rolls it back: only the inbox's own file shows whether there is room for a row. Then it
// commits a row elsewhere, because a server may refuse only at the commit.
func (s *Store) testWrite(ctx context.Context) error {
	tx, err := s.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	_, err = tx.ExecContext(ctx, `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, 'write-check', 'write-check', ?, 'write-check', 'skipped')`, "write-check-"+hex.EncodeToString(id[:]), strings.Repeat("x", writeCheckBytes))
	if undone := ignoreDone(tx.Rollback()); err == nil {
		err = undone
	}
	if err != nil {
		return err
	}
	_, err = s.sql.ExecContext(ctx, `INSERT INTO write_checks (id, checked_at) VALUES (?, UTC_TIMESTAMP(6))
		ON DUPLICATE KEY UPDATE checked_at = VALUES(checked_at)`, mathrand.IntN(writeCheckRows))
	return err
}

// refusal returns why a responding server refuses writes. A read-only one is queried, because the driver drops such a
// connection without its error (RejectReadOnly).
func (s *Store) refusal(ctx context.Context, err error) error {
	switch {
	case isNumber(err, 1021, 1114, 1030, 1034, 3019, 3675): // disk, table or log full; the engine's own error
		return &relay.Unwritable{Why: relay.WriteNoRoom}
	case isNumber(err, 1142, 1044, 1143, 1227):
		return &relay.Unwritable{Why: relay.WriteForbidden}
	case isNumber(err, 1290, 1792, 1836):
		return &relay.Unwritable{Why: relay.WriteReadOnly}
	case isConnection(err) && s.readOnly(ctx):
		return &relay.Unwritable{Why: relay.WriteReadOnly}
	case isNumber(err, errLockTimeout, errDeadlock):
		return &relay.Unwritable{Why: relay.WriteStalled}
	}
	return err
}

// readOnly asks the server whether it is read-only. MySQL's super_read_only implies read_only.
func (s *Store) readOnly(ctx context.Context) bool {
	var server, engine bool
	err := s.sql.QueryRowContext(ctx, "SELECT @@global.read_only, @@global.innodb_read_only").Scan(&server, &engine)
	return err == nil && (server || engine)
}
