package db

import (
	"context"
	"database/sql"
	"sync"
)

// prepared are the statements of the lane that every delivery goes through. The server reads and plans each once for a
// connection, not for every event; all other statements are sent with their arguments in them, which is one round trip too.
type prepared struct {
	pool *sql.DB
	mu   sync.Mutex
	of   map[string]*sql.Stmt
}

// statement prepares a query at its first use. On the pool's other connections the pool prepares it by itself.
func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	s := p.of[query]
	p.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := p.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.of[query]; first != nil { // somebody else was first
		return first, s.Close() //nolint:sqlclosecheck // closed here
	}
	if p.of == nil {
		p.of = map[string]*sql.Stmt{}
	}
	p.of[query] = s
	return s, nil
}

// exec runs a statement and counts the rows that it found.
func (p *prepared) exec(ctx context.Context, query string, args ...any) (int64, error) {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next
	if err != nil {
		return 0, err
	}
	res, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// scan reads one row.
func (p *prepared) scan(ctx context.Context, dest []any, query string, args ...any) error {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next
	if err != nil {
		return err
	}
	return statement.QueryRowContext(ctx, args...).Scan(dest...)
}

func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.of {
		_ = s.Close() // its connections are about to be closed
	}
	p.of = nil
}
