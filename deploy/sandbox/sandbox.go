// Package sandbox simulates the destinations: server-side GTM containers and ad platforms, as a real HTTP server.
//
// Every POST outside /_control is a delivery. It is recorded, and the response is the one scripted through the control API, whatever
// the payload: a test scripts "503, 503, 200" for a path and then reads which requests arrived. Unscripted
// deliveries may get the response of a simulated platform (Options.Play). The package itself implements no platform's API and
// does not depend on the relay.
package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	defaultKeep     = 5_000
	defaultKeyField = "event_id"
	// maxBody bounds the part of a delivery that is read; no platform accepts as much.
	maxBody = 4 << 20
)

// Options adjust a Sandbox. The zero value records fully.
type Options struct {
	Keep     int    // number of deliveries kept in full; default 5,000
	KeyField string // the JSON field whose value names the event; default event_id
	Sink     bool   // keep none and respond 200 at once, whatever the script: for benchmarks
	// Play returns the responses to unscripted deliveries; nil means an empty 200. It returns false for a delivery outside the platforms.
	Play func(r *http.Request, body []byte) (Answer, bool)
}

// Sandbox is an http.Handler. Its methods may be called from any goroutine.
type Sandbox struct {
	sink    bool
	key     []byte // `"event_id"`
	play    func(*http.Request, []byte) (Answer, bool)
	rules   rules
	record  record
	control http.Handler
}

// New returns a sandbox that accepts everything.
func New(o Options) *Sandbox {
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.KeyField == "" {
		o.KeyField = defaultKeyField
	}
	s := &Sandbox{sink: o.Sink, play: o.Play, key: []byte(`"` + o.KeyField + `"`)}
	s.record.keep = o.Keep
	s.record.arrivals = map[arrivalKey]Arrival{}
	s.control = s.routes()
	return s
}

func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	arrived := time.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the sender closed the connection early: this is no delivery
	}
	key := fieldValue(body, s.key)
	for _, other := range otherKeys {
		if key == "" {
			key = fieldValue(body, other)
		}
	}
	if s.sink {
		s.record.count(r.URL.Path, key, arrived)
		return
	}
	answer, scripted := s.rules.next(r.URL.Path, key)
	if !scripted && s.play != nil {
		if played, ok := s.play(r, body); ok {
			answer = played
		}
	}
	s.record.add(Request{
		Time: arrived, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Headers: r.Header.Clone(),
		Body: string(body), Key: key, Answer: answer.String(),
	})
	answer.write(w, r)
}

// otherKeys are the fields of platforms that write event_id in their own way.
var otherKeys = [][]byte{[]byte(`"eventId"`), []byte(`"messageId"`)}

// fieldValue finds the string value of the first quoted field without decoding the body: benchmarks count arrivals, and
// decoding would cost more than everything else here. An escaped value is returned as it was written.
func fieldValue(body, quoted []byte) string {
	for {
		i := bytes.Index(body, quoted)
		if i < 0 {
			return ""
		}
		body = bytes.TrimLeft(body[i+len(quoted):], " \t\r\n")
		if len(body) == 0 || body[0] != ':' { // a value that looks like the field
			continue
		}
		body = bytes.TrimLeft(body[1:], " \t\r\n")
		if len(body) == 0 || body[0] != '"' {
			continue
		}
		end := bytes.IndexByte(body[1:], '"')
		if end < 0 {
			return ""
		}
		return string(body[1 : 1+end])
	}
}

// Platforms returns the platform codes that the development relay registers for the sandbox. It posts to
// /platform/<code>.
func Platforms() []string {
	return []string{"sandbox", "sandbox_b", "sandbox_c", "sandbox_d", "sandbox_e"}
}
