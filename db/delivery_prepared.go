package db

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// textFor is how long the lane speaks the text protocol after the server refused to prepare a statement.
const textFor = time.Minute

// errsPrepare are the numbers of a server, or of a proxy before it, that does not prepare: too many statements, not possible,
// and a statement that another server prepared.
var errsPrepare = []uint16{1461, 1295, 1243}

// prepared are the statements of the lane that every delivery goes through. The server reads and plans each once for a
// connection, not for every event; all other statements are sent with their arguments in them, which is one round trip too.
// Where the server refuses to prepare, the lane's are sent so, too.
type prepared struct {
	pool *sql.DB
	log  *notices

	mu   sync.Mutex
	of   map[string]*sql.Stmt
	text time.Time // until then nothing is prepared
}

// statement prepares a query at its first use; nil means that it is sent as text. On the pool's other connections the pool
// prepares it by itself.
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
	if first := p.of[query]; first != nil { // somebody else was first
		return first, s.Close() //nolint:sqlclosecheck // closed here
	}
	if p.of == nil {
		p.of = map[string]*sql.Stmt{}
	}
	p.of[query] = s
	return s, nil
}

// refused makes the lane speak text where that is what an error asks for, and returns any other error. A statement that
// could not be prepared has done nothing.
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

// Prepares reports whether the server prepares statements. One that refuses is slower, and otherwise well.
func (s *Store) Prepares() bool {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	return !time.Now().Before(s.lane.text)
}

// exec runs a statement and counts the rows that it found.
func (p *prepared) exec(ctx context.Context, query string, args ...any) (int64, error) {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next
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
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next
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

func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.of {
		_ = s.Close() // its connections are about to be closed
	}
	p.of = nil
}
