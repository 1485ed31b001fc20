package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// livePages are the tail of attempts.
func livePages() []page {
	return []page{{path: "live", place: "Destinations", title: "Live", template: "live", show: showLive}}
}

// outcomes are those of attempts, for the filter and for the rows that the script adds.
var outcomes = []string{"sending", "accepted", "retry", "rejected", "unauthorized", "unknown", "not_sent", "blocked", "skipped"}

// live is the tail. The script fills it from REST's stream; without one, it is read when that is asked for.
type live struct {
	Storefront, Destination, Outcome string
	Outcomes                         []string
	Asked                            bool
	Now                              string // the address that reads the latest attempts without a script
	Attempts                         []liveAttempt
	Problem                          *Problem
}

// liveAttempt is an attempt in REST's stream. It has nothing of a payload.
type liveAttempt struct {
	ID          int64     `json:"id"`
	EventID     int64     `json:"event_id"`
	Storefront  string    `json:"storefront"`
	Destination string    `json:"destination"`
	Number      int       `json:"number"`
	Outcome     string    `json:"outcome"`
	Reason      string    `json:"reason"`
	Status      int       `json:"status"`
	MS          float64   `json:"ms"`
	At          time.Time `json:"at"`
}

func showLive(v *visit) (any, error) {
	q := join("storefront", v.query.Get("storefront"), "destination", v.query.Get("destination"), "outcome", v.query.Get("outcome"))
	l := live{Storefront: q.Get("storefront"), Destination: q.Get("destination"), Outcome: q.Get("outcome"), Outcomes: outcomes, Asked: v.query.Has("now"),
		Now: address("live", with(q, "now", "1"))}
	v.follow(q)
	if l.Asked {
		l.Attempts, l.Problem = v.tail(q)
	}
	return l, nil
}

// follow is what the stream of the page picks. What REST would not take is left out: the page itself says what is wrong with it.
func (v *visit) follow(q url.Values) {
	if d := q.Get("destination"); d != "" && !destinationKey.MatchString(d) || len(q.Get("storefront")) > 50 {
		return
	}
	v.stream = q.Encode()
}

var destinationKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

// refreshHeader is what the script sends when it reads a page again for its parts.
const refreshHeader = "Relay-Refresh"

const (
	tailFor  = time.Second // how long the stream is read: it begins with the latest attempts
	tailSize = 500
)

// tail reads the beginning of REST's stream: the latest attempts, the newest first.
func (v *visit) tail(q url.Values) ([]liveAttempt, *Problem) {
	ctx, cancel := context.WithTimeout(v.ctx, tailFor)
	defer cancel()
	r, err := v.client.request(call{method: http.MethodGet, path: "/admin/v1/live", query: q})
	if err != nil {
		return nil, problemOf(err)
	}
	v.calls.Add(1)
	w := &streamed{answer: answer{header: http.Header{}, status: http.StatusOK}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // a stream that is cut may panic
		v.rest.ServeHTTP(w, r.WithContext(ctx))
	}()
	<-done
	status, body := w.read()
	if status >= http.StatusMultipleChoices {
		p := &Problem{RequestID: v.id}
		_ = json.Unmarshal(body, p) // what is no problem document still has its status
		p.Status = status
		return nil, p
	}
	return attemptsOf(body), nil
}

// attemptsOf reads the attempts of a stream, each as it was last said to be.
func attemptsOf(stream []byte) []liveAttempt {
	var list []liveAttempt
	for event := range bytes.SplitSeq(stream, []byte("\n\n")) {
		if !bytes.Contains(event, []byte("event: attempt")) {
			continue
		}
		for line := range strings.SplitSeq(string(event), "\n") {
			var a liveAttempt
			data, ok := strings.CutPrefix(line, "data:")
			if !ok || json.Unmarshal([]byte(data), &a) != nil {
				continue
			}
			list = slices.DeleteFunc(list, func(b liveAttempt) bool { return a.ID == b.ID })
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b liveAttempt) int { return int(b.ID - a.ID) })
	return list[:min(len(list), tailSize)]
}

// streamed is an answer that is read while it is written.
type streamed struct {
	mu sync.Mutex
	answer
}

func (s *streamed) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer.WriteHeader(status)
}

func (s *streamed) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer.Write(p)
}

func (s *streamed) read() (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, bytes.Clone(s.body.Bytes())
}
