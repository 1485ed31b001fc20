package db

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"relay/internal/relay"
)

// noticeEvery bounds the lines about one number: an outage makes thousands of errors.
const noticeEvery = time.Minute

// notices writes a line about what callers retry without a word: a delivery waits for its database in silence, because no
// error text may travel through Temporal.
type notices struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[uint16]time.Time // by the server's number; 0 is trouble with the connection
}

// notice logs an error that makes callers wait, and returns it.
func (s *Store) notice(err error) error {
	if err != nil && errors.Is(translate(err), relay.ErrUnavailable) {
		if line := s.log.line(err); line != nil {
			s.log.log.Warn("database.unavailable", line...)
		}
	}
	return err
}

// line is what to say of an error, nil where enough was said: one line a minute for a number. Of a text that the server may
// have put data into, the translated words are logged.
func (n *notices) line(err error) []any {
	var my *mysql.MySQLError
	var number uint16
	if errors.As(err, &my) {
		number = my.Number
	}
	if n.log == nil || !n.first(number) {
		return nil
	}
	return []any{slog.Int("mysql_error", int(number)), slog.String("error", translate(err).Error())}
}

func (n *notices) first(number uint16) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.last[number]) < noticeEvery {
		return false
	}
	if n.last == nil {
		n.last = map[uint16]time.Time{}
	}
	n.last[number] = time.Now()
	return true
}
