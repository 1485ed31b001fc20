package db

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"relay/internal/relay"
)

// noticeEvery bounds the log lines per error number: an outage causes thousands of errors.
const noticeEvery = time.Minute

// notices logs errors that callers retry silently: a delivery waits for its database without reporting it, because no error
// text may travel through Temporal.
type notices struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[uint16]time.Time // by the server's number; 0 is a connection error
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

// line returns the attributes of an error's log line; nil if its number was logged within the last minute. If the server's
// text may contain data, the translated text is logged.
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
