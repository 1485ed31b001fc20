package workflows_test

import (
	"context"
	"net/url"
	"sync"
	"time"

	"relay/internal/relay"
)

// sender responds by host, else with its replies in order, then with then; the zero reply is 200.
type sender struct {
	mu      sync.Mutex
	replies []relay.Response
	byHost  map[string]relay.Response
	then    relay.Response
	after   func()
	now     func() time.Time
	last    time.Time // of the latest request, on the workflow's clock
	sent    int
}

func (s *sender) Send(_ context.Context, r relay.Request) relay.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	s.last = s.now()
	if s.after != nil {
		defer s.after()
	}
	reply := s.then
	u, _ := url.Parse(r.URL)
	if byHost, ok := s.byHost[u.Host]; ok {
		reply = byHost
	} else if len(s.replies) > 0 {
		reply, s.replies = s.replies[0], s.replies[1:]
	}
	if reply.Status == 0 && reply.TransportError == relay.NoTransportError {
		reply.Status = 200
	}
	reply.Sent, reply.Repeatable, reply.At = true, true, s.now()
	return reply
}
