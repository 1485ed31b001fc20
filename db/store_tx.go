package db

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"
)

// contentionTries is how often a statement or transaction is begun that loses to another: deadlocks and lock time-outs
// are the price of several writers, and the second time mostly goes through.
const contentionTries = 5

// querier is what *sql.DB, *sql.Tx and *sql.Conn have in common.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// tx runs f in a READ COMMITTED transaction, again where it loses to another. Under the server's default, REPEATABLE
// READ, an open claim locks the gaps between rows and holds up every insert.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	return s.txWhere(ctx, isContention, f)
}

// txWhere is tx with another notion of what is worth another attempt.
func (s *Store) txWhere(ctx context.Context, worth func(error) bool, f func(*sql.Tx) error) error {
	return s.notice(again(ctx, contentionTries, worth, func() error {
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

// exec runs one statement, again where it loses to another.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var found int64
	err := again(ctx, contentionTries, isContention, func() error {
		res, err := s.sql.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		found, err = res.RowsAffected()
		return err
	})
	return found, s.notice(err)
}

// execLane runs a prepared statement, again where it loses to another.
func (s *Store) execLane(ctx context.Context, query string, args ...any) (int64, error) {
	var found int64
	err := again(ctx, contentionTries, isContention, func() (err error) {
		found, err = s.lane.exec(ctx, query, args...)
		return err
	})
	return found, s.notice(err)
}

func isDeadlock(err error) bool { return isNumber(err, errDeadlock) }

func isContention(err error) bool { return isNumber(err, errDeadlock, errLockTimeout) }

// again calls f until it succeeds, fails for another reason, or has been called tries times. Between the calls it waits a
// random moment, so that those who met do not meet again.
func again(ctx context.Context, tries int, worth func(error) bool, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == tries || !worth(err) {
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

// ignoreDone leaves out what Rollback says after the connection, and the transaction with it, is gone.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || isConnection(err) {
		return nil
	}
	return err
}

// nullText stores an empty text as NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
