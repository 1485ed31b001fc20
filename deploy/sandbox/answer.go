package sandbox

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Actions of an Answer in place of a response.
const (
	ActionReset    = "reset"    // close with a TCP reset, without a response
	ActionHang     = "hang"     // do not respond until the sender closes the connection
	ActionTruncate = "truncate" // announce a longer body than is sent, then close
	ActionSwitch   = "switch"   // respond 101 and keep the bare connection open until the sender closes it
	ActionGoAway   = "goaway"   // HTTP/2: end the connection and refuse the request; over HTTP/1 a reset
	ActionRefuse   = "refuse"   // HTTP/2: refuse only the request; over HTTP/1 a reset
)

// Answer is the response to one delivery. The zero value is an empty 200.
type Answer struct {
	Status  int               `json:"status,omitempty"` // default 200
	Body    string            `json:"body,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	DelayMS int               `json:"delay_ms,omitempty"` // waits before anything else
	Action  string            `json:"action,omitempty"`
}

// Rule scripts the responses of a path and everything below it. The longest matching path wins. Each of Answers is used once,
// in order of arrival; afterwards every delivery receives Then. With EachEvent, each event (Request.Key) receives all of Answers
// of its own: which attempt of it meets which response no longer depends on the speed of the sender.
type Rule struct {
	Path      string   `json:"path"`
	Answers   []Answer `json:"answers,omitempty"`
	Then      Answer   `json:"then"`
	EachEvent bool     `json:"each_event,omitempty"`
}

// String returns the action, or else the status, for lists.
func (a Answer) String() string {
	if a.Action != "" {
		return a.Action
	}
	return strconv.Itoa(a.status())
}

func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

func (a Answer) isZero() bool {
	return a.Status == 0 && a.Body == "" && len(a.Headers) == 0 && a.DelayMS == 0 && a.Action == ""
}

func (a Answer) check() error {
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		return fmt.Errorf("status %d: want 200 to 599", a.Status)
	}
	if a.DelayMS < 0 {
		return fmt.Errorf("delay_ms %d: want 0 or more", a.DelayMS)
	}
	actions := []string{"", ActionReset, ActionHang, ActionTruncate, ActionSwitch, ActionGoAway, ActionRefuse}
	if !slices.Contains(actions, a.Action) {
		return fmt.Errorf("action %q: want one of %s", a.Action, strings.Join(actions[1:], ", "))
	}
	return nil
}

func (a Answer) write(w http.ResponseWriter, r *http.Request) {
	if a.DelayMS > 0 {
		select {
		case <-time.After(time.Duration(a.DelayMS) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
	stream, http2 := w.(*http2Stream)
	switch a.Action {
	case ActionGoAway, ActionRefuse:
		switch {
		case !http2:
			reset(w)
		case a.Action == ActionGoAway:
			stream.goAway()
		default:
			stream.refuse()
		}
		return
	case ActionSwitch:
		switchProtocols(w)
		return
	case ActionReset:
		reset(w)
		return
	case ActionHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	if a.Action == ActionTruncate {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)+1))
	}
	w.WriteHeader(a.status())
	_, _ = w.Write([]byte(a.Body)) // the sender may have closed the connection; the delivery is recorded
	if a.Action == ActionTruncate {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// reset closes the connection so that the sender sees "connection reset by peer".
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes it a reset
	}
	_ = conn.Close()
}

// switchProtocols responds 101. The sender then has a bare connection without any data.
func switchProtocols(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 has no such status
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bare\r\n\r\n"); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// rules holds the current scripts.
type rules struct {
	mu   sync.Mutex
	list []*script // longest path first
}

type script struct {
	Rule
	used map[string]int // number of Answers used, by event; all under "" without EachEvent
}

func (r *rules) set(rule Rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(old *script) bool { return old.Path == rule.Path })
	r.list = append(r.list, &script{Rule: rule, used: map[string]int{}})
	slices.SortFunc(r.list, func(a, b *script) int { return len(b.Path) - len(a.Path) })
}

func (r *rules) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
}

// next returns the next response of the rule for path to event. It returns false if there is no rule, or no response is left
// and Then is zero.
func (r *rules) next(path, event string) (Answer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rule := range r.list {
		if !strings.HasPrefix(path, rule.Path) {
			continue
		}
		if !rule.EachEvent {
			event = ""
		}
		used := rule.used[event]
		if used == len(rule.Answers) {
			return rule.Then, !rule.Then.isZero()
		}
		rule.used[event]++
		return rule.Answers[used], true
	}
	return Answer{}, false
}

// Answer scripts the responses of a path, and replaces an earlier script of the same path.
func (s *Sandbox) Answer(rule Rule) error {
	for _, a := range append(slices.Clone(rule.Answers), rule.Then) {
		if err := a.check(); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(rule.Path, "/") {
		return fmt.Errorf("path %q: want a leading slash", rule.Path)
	}
	s.rules.set(rule)
	return nil
}

// ClearAnswers deletes every script: every delivery is accepted again.
func (s *Sandbox) ClearAnswers() { s.rules.clear() }
