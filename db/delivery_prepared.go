package db

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// textFor is how long statements are sent as text after the server refused to prepare one.
const textFor = time.Minute

// errsPrepare are the error numbers of a server or proxy that cannot prepare: too many statements, not supported, or
// prepared by another server.
var errsPrepare = []uint16{1461, 1295, 1243}

// prepared holds the statements that every delivery runs. The server parses and plans each of them once per connection, not
// once per event. All other statements are sent with their arguments interpolated, which takes one round trip too. If the
// server refuses to prepare, these are sent the same way.
type prepared struct {
	pool *sql.DB
	log  *notices

	mu   sync.Mutex
	of   map[string]*sql.Stmt
	text time.Time // until then nothing is prepared
}

// statement prepares a query at its first use; nil means that the query is sent as text. database/sql prepares it on the
// pool's other connections.
func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	s, text := p.of[query], time.Now().Before(p.text)
	p.mu.Unlock()
	if text {
		return nil, nil //nolint:nilnil // as the comment says
	}
	if s != nil {
		return s, nil
	}
	s, err := p.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, p.refused(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.of[query]; first != nil { // another caller prepared it
		return first, s.Close() //nolint:sqlclosecheck // closed here
	}
	if p.of == nil {
		p.of = map[string]*sql.Stmt{}
	}
	p.of[query] = s
	return s, nil
}

// refused switches to text if the error asks for it, and returns any other error. A statement that could not be prepared has
// changed nothing.
func (p *prepared) refused(err error) error {
	if !isNumber(err, errsPrepare...) {
		return err
	}
	if line := p.log.line(err); line != nil {
		p.log.log.Warn("database.prepared_statements_refused", line...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = time.Now().Add(textFor)
	return nil
}

// Prepares reports whether the server prepares statements. A server that refuses is slower, but everything works.
func (s *Store) Prepares() bool {
	s.prepared.mu.Lock()
	defer s.prepared.mu.Unlock()
	return !time.Now().Before(s.prepared.text)
}

// exec runs a statement and returns the number of rows that it found.
func (p *prepared) exec(ctx context.Context, query string, args ...any) (int64, error) {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next call
	if err != nil {
		return 0, err
	}
	if statement != nil {
		res, err := statement.ExecContext(ctx, args...)
		if err == nil {
			return res.RowsAffected()
		}
		if err := p.refused(err); err != nil {
			return 0, err
		}
	}
	res, err := p.pool.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// scan reads one row.
func (p *prepared) scan(ctx context.Context, dest []any, query string, args ...any) error {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next call
	if err != nil {
		return err
	}
	if statement != nil {
		err := statement.QueryRowContext(ctx, args...).Scan(dest...)
		if err == nil {
			return nil
		}
		if err := p.refused(err); err != nil {
			return err
		}
	}
	return p.pool.QueryRowContext(ctx, query, args...).Scan(dest...)
}

// query reads several rows.
func (p *prepared) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next
	if err != nil {
		return nil, err
	}
	if statement != nil {
		rows, err := statement.QueryContext(ctx, args...)
		if err == nil {
			return rows, nil
		}
		if err := p.refused(err); err != nil {
			return nil, err
		}
	}
	return p.pool.QueryContext(ctx, query, args...)
}

func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.of {
		_ = s.Close() // its connections are about to be closed
	}
	p.of = nil
}
