package db

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"
)

// contentionAttempts bounds the attempts of a statement or transaction on deadlock (1213) and lock time-out (1205), which
// concurrent writers cause; the second attempt usually succeeds.
const contentionAttempts = 5

// querier is the common part of *sql.DB, *sql.Tx and *sql.Conn.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// tx runs f in a READ COMMITTED transaction, and retries on contention. Under the server's default, REPEATABLE READ, an open
// claim locks the gaps between rows and blocks every insert.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	return s.txWhere(ctx, isContention, f)
}

// txWhere is tx with another condition for a retry.
func (s *Store) txWhere(ctx context.Context, worth func(error) bool, f func(*sql.Tx) error) error {
	return s.notice(retry(ctx, contentionAttempts, worth, func() error {
		tx, err := s.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return errors.Join(err, ignoreDone(tx.Rollback()))
		}
		return tx.Commit()
	}))
}

// exec runs one statement, and retries on contention.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var found int64
	err := retry(ctx, contentionAttempts, isContention, func() error {
		res, err := s.sql.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		found, err = res.RowsAffected()
		return err
	})
	return found, s.notice(err)
}

// execPrepared runs a prepared statement, and retries on contention.
func (s *Store) execPrepared(ctx context.Context, query string, args ...any) (int64, error) {
	var found int64
	err := retry(ctx, contentionAttempts, isContention, func() (err error) {
		found, err = s.prepared.exec(ctx, query, args...)
		return err
	})
	return found, s.notice(err)
}

func isDeadlock(err error) bool { return isNumber(err, errDeadlock) }

func isContention(err error) bool { return isNumber(err, errDeadlock, errLockTimeout) }

// retry calls f until it succeeds, fails with an error that is not worth a retry, or has been called a number of times.
// Between the calls it waits a random time, so that conflicting writers do not collide again.
func retry(ctx context.Context, attempts int, worth func(error) bool, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == attempts || !worth(err) {
			return err
		}
		pause := time.NewTimer(time.Duration(n) * time.Duration(1+rand.IntN(10)) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
}

// ignoreDone drops the error of a Rollback whose connection, and with it the transaction, has ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || isConnection(err) {
		return nil
	}
	return err
}

// nullText stores an empty text as NULL.
func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
