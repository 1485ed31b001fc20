package activities_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/relay"
)

// twoRows is the store of one event with two platforms, a and b.
type twoRows struct {
	oneRow

	rows     []relay.Attempt
	age      time.Duration // of the attempts in rows
	status   relay.Status
	outcome  relay.EventOutcome
	health   map[string]relay.Health
	limits   map[string]relay.Limits
	finishes int
	lost     bool
	gone     bool
}

func (s *twoRows) Begin(context.Context, int64, string) (relay.Opening, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.away:
		return relay.Opening{}, relay.ErrUnavailable
	case s.gone:
		return relay.Opening{Taken: true}, relay.ErrNotFound
	case s.lost:
		return relay.Opening{}, nil
	case s.status.Final():
		return relay.Opening{Ended: &s.outcome}, nil
	}
	sw := relay.Switches{Storefront: relay.Storefront{ID: 1, Code: "bosley", Active: true}, Attempts: map[string]relay.AttemptSummary{}}
	o := relay.Opening{Taken: true, Deliveries: map[string]relay.Delivery{}}
	for _, d := range []string{"a", "b"} {
		sw.Platforms = append(sw.Platforms, relay.PlatformSwitch{Code: d, PlatformActive: true, CredentialActive: true})
		for _, r := range s.rows {
			if t := sw.Attempts[d]; r.Destination == d && r.Number > 0 {
				sw.Attempts[d] = relay.AttemptSummary{Made: t.Made + 1, Accepted: t.Accepted || r.Result.Outcome == relay.Accepted,
					Last: r.Result.Outcome, Cause: r.Result.Reason, Status: r.Result.Status, Age: s.age}
			}
		}
	}
	for _, d := range []string{"a", "b"} {
		if d == "b" && s.unreadable {
			continue
		}
		o.Deliveries[d] = relay.Delivery{Owned: true, Event: relay.Event{ID: 1, Storefront: sw.Storefront}, Switches: sw, Health: s.health[d],
			Destination: relay.Destination{Key: d, Options: relay.Options{Limits: s.limits[d]}}}
	}
	o.Switches = sw
	return o, nil
}

func (s *twoRows) RecordSending(_ context.Context, attempts ...relay.Attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, attempts...)
	return s.recordErr
}

func (s *twoRows) CompleteAttempts(_ context.Context, ends []relay.AttemptEnd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.completeErr != nil {
		return s.completeErr
	}
	for _, e := range ends {
		for i := range s.rows {
			if s.rows[i].AttemptID == e.AttemptID {
				s.rows[i].Result = e.Result
			}
		}
	}
	return nil
}

func (s *twoRows) Conclude(ctx context.Context, _ int64, _ string, c relay.EventOutcome, ends []relay.AttemptEnd) error {
	if err := s.CompleteAttempts(ctx, ends); err != nil {
		return err
	}
	s.finishes++
	s.status, s.outcome = c.Status, c
	return nil
}

// outside responds by destination.
type outside struct {
	mu        sync.Mutex
	responses map[string]relay.Response
	sent      []string
	hold      map[string]chan struct{}
}

func (o *outside) Send(_ context.Context, r relay.Request) relay.Response {
	destination := strings.TrimPrefix(r.URL, "https://example.com/")
	o.mu.Lock()
	o.sent = append(o.sent, destination)
	response, hold := o.responses[destination], o.hold[destination]
	o.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if response.Status == 0 {
		response.Status = 200
	}
	response.Sent, response.Repeatable = true, true
	return response
}

// named sends to an address that names the destination.
type named struct{ talkative }

func (named) Request(d relay.Destination, _ relay.Event) (relay.Request, error) {
	if d.Key == "skips" {
		return relay.Request{}, &relay.Refusal{Reason: relay.ReasonNotMapped, Skip: true}
	}
	return relay.Request{Method: "POST", URL: "https://example.com/" + d.Key, Repeatable: true}, nil
}

func firstOf(s *twoRows, o *outside) *activities.Activities {
	return &activities.Activities{Store: s, Sender: o, Adapters: map[string]relay.Adapter{"a": named{}, "b": named{}}, Health: s,
		Policy: relay.Policy{MaxAttempts: 5, Base: time.Minute}, Limiter: &activities.Limiter{}, Lane: &activities.Lane{}, Log: slog.New(slog.DiscardHandler)}
}

// resolveFirst runs one ResolveRoute with first attempts, as a worker's local activity.
func resolveFirst(t *testing.T, a *activities.Activities) activities.ResolveOutput {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a)
	value, err := env.ExecuteLocalActivity(a.ResolveRoute, activities.ResolveInput{Row: activities.Row{ID: 1, Run: "run"}, First: true})
	require.NoError(t, err)
	var out activities.ResolveOutput
	require.NoError(t, value.Get(&out))
	text, err := json.Marshal(out)
	require.NoError(t, err)
	require.NotContains(t, string(text), vendorText)
	return out
}

// ends are those of the attempts of a result, by destination.
func ends(out activities.ResolveOutput) map[string]relay.Outcome {
	m := map[string]relay.Outcome{}
	for _, o := range out.First.Attempts {
		m[o.End.Destination] = o.End.Outcome
	}
	return m
}

// panicking is an adapter with a bug.
type panicking struct {
	named
	request bool
}

func (p panicking) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if p.request {
		panic("bug")
	}
	return p.named.Request(d, e)
}

func (panicking) Outcome(relay.Response) relay.Result { panic("bug") }
