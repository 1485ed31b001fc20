package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxKept bounds the bytes of the kept bodies; their number is bounded separately.
const maxKept = 64 << 20

// Request is one delivery as it arrived.
type Request struct {
	Seq     int64       `json:"seq"` // 1, 2, 3, ... in order of arrival
	Time    time.Time   `json:"time"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Query   string      `json:"query,omitempty"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body"`
	Key     string      `json:"key,omitempty"` // the value of the key field, "" if there is none
	Answer  string      `json:"answer"`        // a status or an action
}

// Arrival holds how often and when an event reached a path. Taken counts the copies that were not refused: those with a 2xx,
// however late, and those without a response, whose result is unknown.
type Arrival struct {
	Path  string    `json:"path"`
	Key   string    `json:"key"`
	Count int       `json:"count"`
	Taken int       `json:"taken"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Counts covers every delivery since the start or the last Clear, also those no longer kept in full.
type Counts struct {
	Total  int64            `json:"total"`
	ByPath map[string]int64 `json:"by_path"`
	ByKey  map[string]int64 `json:"by_key"` // deliveries without a key are under ""
}

type arrivalKey struct{ path, key string }

type record struct {
	mu       sync.Mutex
	keep     int
	seq      int64
	bytes    int
	requests []Request // oldest first
	arrivals map[arrivalKey]Arrival
}

func (c *record) add(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrive(r.Path, r.Key, r.Time, !refuses(r.Answer))
	r.Seq = c.seq
	c.requests = append(c.requests, r)
	c.bytes += len(r.Body)
	for len(c.requests) > c.keep || c.bytes > maxKept {
		c.bytes -= len(c.requests[0].Body)
		c.requests[0] = Request{} // otherwise the array would keep the body
		c.requests = c.requests[1:]
	}
}

func (c *record) count(path, key string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrive(path, key, at, true)
}

func (c *record) arrive(path, key string, at time.Time, taken bool) {
	c.seq++
	k := arrivalKey{path, key}
	a, ok := c.arrivals[k]
	if !ok {
		a = Arrival{Path: path, Key: key, First: at}
	}
	a.Count++
	if taken {
		a.Taken++
	}
	a.Last = at
	c.arrivals[k] = a
}

// refuses reports whether a response, as Answer.String returns it, is a refusal.
func refuses(answer string) bool {
	if answer == ActionSwitch || answer == ActionGoAway || answer == ActionRefuse {
		return true
	}
	status, err := strconv.Atoi(answer)
	return err == nil && status >= http.StatusMultipleChoices
}

// Requests returns the kept deliveries to path and below it that came after number since, oldest first.
func (s *Sandbox) Requests(path string, since int64) []Request {
	c := &s.record
	c.mu.Lock()
	defer c.mu.Unlock()
	found := []Request{}
	for _, r := range c.requests {
		if r.Seq > since && strings.HasPrefix(r.Path, path) {
			found = append(found, r)
		}
	}
	return found
}

// Counts counts all deliveries.
func (s *Sandbox) Counts() Counts {
	counts := Counts{ByPath: map[string]int64{}, ByKey: map[string]int64{}}
	for _, a := range s.Arrivals() {
		n := int64(a.Count)
		counts.Total += n
		counts.ByPath[a.Path] += n
		counts.ByKey[a.Key] += n
	}
	return counts
}

// Total returns the number of all deliveries, without the cost of Counts.
func (s *Sandbox) Total() int64 {
	c := &s.record
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// Arrivals returns when and how often each event reached each path, in no particular order.
func (s *Sandbox) Arrivals() []Arrival {
	c := &s.record
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Arrival, 0, len(c.arrivals))
	for _, a := range c.arrivals {
		all = append(all, a)
	}
	return all
}

// Clear deletes all deliveries and restarts the numbers. The scripts stay.
func (s *Sandbox) Clear() {
	c := &s.record
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq, c.bytes, c.requests = 0, 0, nil
	c.arrivals = map[arrivalKey]Arrival{}
}
