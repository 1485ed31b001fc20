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
	writeCheckEvery   = 3 * time.Second  // a check answers all who ask until then
	writeCheckTimeout = 15 * time.Second // of one that hangs, as a server with a full disk can make it: there is one at a time
	writeCheckRows    = 16
	writeCheckBytes   = 16 << 10
)

// writeCheck remembers whether the database could be written.
type writeCheck struct {
	mu   sync.Mutex
	at   time.Time
	err  error
	done chan struct{} // of the check that is on; nil without one
}

// Writable reports whether an event could be stored now: relay.ErrUnavailable where the server does not answer,
// *relay.Unwritable where it answers and refuses. It costs the server a small transaction every three seconds, however many
// ask. A check that hangs is not repeated until it ends.
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
	err := s.notice(s.tryWrite(ctx))
	switch {
	case isNumber(err, errNoSuchTable, 1054): // not migrated yet, which Current says
		err = nil
	case err != nil:
		err = fail("write to the database", s.refusal(ctx, err))
	}
	w := &s.writes
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.err = time.Now(), err
	close(w.done)
	w.done = nil
}

// tryWrite stores an event that nobody sees, because it is rolled back: only the inbox's own file knows whether there is room
// for a row. Then it commits one that stays, because a server can refuse as late as that.
func (s *Store) tryWrite(ctx context.Context) error {
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

// refusal says why a server that answers refuses to be written. A read-only one is asked, because the driver drops such a
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

// readOnly asks the server whether it takes no writes. MySQL's super_read_only implies read_only.
func (s *Store) readOnly(ctx context.Context) bool {
	var server, engine bool
	err := s.sql.QueryRowContext(ctx, "SELECT @@global.read_only, @@global.innodb_read_only").Scan(&server, &engine)
	return err == nil && (server || engine)
}
