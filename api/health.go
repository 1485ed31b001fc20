package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	probeTimeout = 2 * time.Second
	// probeEvery bounds the cost of requests without a login. It is far below the interval of any prober.
	probeEvery = 250 * time.Millisecond
)

// Words of a readiness report.
const (
	wordOK      = "ok"
	wordDown    = "down"
	wordOld     = "old"
	wordUnknown = "unknown"

	statusReady       = "ready"
	statusUnavailable = "unavailable"
)

// report is the response of /health/ready: the status, then one word for each check. It is public, so it holds nothing else.
type report struct {
	status string
	words  []checked
	err    error // for the log
}

// checked is the word of one check.
type checked struct{ name, word string }

func (r report) word(name string) string {
	for _, w := range r.words {
		if w.name == name {
			return w.word
		}
	}
	return ""
}

// MarshalJSON keeps the order of the checks, for readers of curl.
func (r report) MarshalJSON() ([]byte, error) { return r.object("", nil), nil }

// object is the report with one more member, unless its name is "".
func (r report) object(name string, value []byte) []byte {
	var b bytes.Buffer
	b.WriteString(`{"status":` + quoted(r.status))
	for _, w := range r.words {
		b.WriteString("," + quoted(w.name) + ":" + quoted(w.word))
	}
	if name != "" {
		b.WriteString("," + quoted(name) + ":")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

func (s *server) health(c *gin.Context, l *requestLog) error {
	l.quiet = true
	write(c, http.StatusOK, "application/json", map[string]string{"status": wordOK})
	return nil
}

func (s *server) healthReady(c *gin.Context, l *requestLog) error {
	l.quiet = true
	r := s.ready.check(c.Request.Context())
	for _, w := range r.words {
		l.add(slog.String(w.name, w.word))
	}
	l.cause = r.err
	status := http.StatusOK
	if r.status != statusReady {
		status = http.StatusServiceUnavailable
	}
	s.writeReady(c, status, r)
	return nil
}
