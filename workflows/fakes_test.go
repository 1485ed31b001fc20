package workflows_test

import (
	"context"
	"sync"
	"time"

	"relay/internal/relay"
)

// store is an inbox of one event.
type store struct {
	mu           sync.Mutex
	status       relay.Status
	owner        string
	generation   int
	switches     relay.Switches
	attempts     []relay.Attempt
	conclusion   relay.EventOutcome
	failRecords  int
	health       relay.Health
	sick         string // the one destination that health is of; "" is all
	probes       int    // that Probe lets through
	recovers     bool   // before an event that it turned away has finished
	options      relay.Options
	unreadable   int     // attempts whose secrets do not decrypt
	unreadableAt string  // the one destination of these; "" is all
	taken        func()  // after the row was taken; the store is locked
	reading      func()  // before the input of an attempt is read; the store is locked
	replays      []int64 // started
	leasesEnded  int
	waits        []relay.Waiting
	back         time.Time
	now          func() time.Time
}

func newStore() *store {
	return &store{
		status: relay.StatusPending,
		switches: relay.Switches{
			Storefront: relay.Storefront{ID: 1, Code: "bosley", Active: true, Currency: "USD"},
			SGTM:       &relay.SGTMSwitch{Active: true},
		},
		now: time.Now,
	}
}

// away makes every call fail for a duration on the workflow's clock.
func (s *store) away(d time.Duration, now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.back = now, now().Add(d)
}

func (s *store) lock() (func(), error) {
	s.mu.Lock()
	if s.now().Before(s.back) {
		s.mu.Unlock()
		return nil, relay.ErrUnavailable
	}
	return s.mu.Unlock, nil
}

func (s *store) Take(_ context.Context, _ int64, run string) (bool, error) {
	unlock, err := s.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	if s.status != relay.StatusPending && s.owner != run {
		return false, nil
	}
	s.status, s.owner = relay.StatusProcessing, run
	if s.taken != nil {
		s.taken()
	}
	return true, nil
}

func (s *store) Switches(context.Context, int64) (relay.Switches, error) {
	unlock, err := s.lock()
	if err != nil {
		return relay.Switches{}, err
	}
	defer unlock()
	return s.read(), nil
}

func (s *store) read() relay.Switches {
	sw := s.switches
	sw.Platforms = append([]relay.PlatformSwitch(nil), sw.Platforms...)
	if sw.SGTM != nil {
		sgtm := *sw.SGTM
		sw.SGTM = &sgtm
	}
	sw.Attempts = map[string]relay.AttemptSummary{}
	for _, a := range s.attempts {
		t := sw.Attempts[a.Destination]
		if a.Number > 0 && a.Generation == s.generation && a.Result.Outcome != relay.NotSent {
			t.Made++
			t.Cause, t.Status = a.Result.Reason, a.Result.Status
			t.Last = a.Result.Outcome
		}
		t.Accepted = t.Accepted || a.Result.Outcome == relay.Accepted
		sw.Attempts[a.Destination] = t
	}
	return sw
}

func (s *store) Delivery(_ context.Context, id int64, run, destination string) (relay.Delivery, error) {
	unlock, err := s.lock()
	if err != nil {
		return relay.Delivery{}, err
	}
	defer unlock()
	if s.reading != nil {
		s.reading()
	}
	d := s.delivery(id, run, destination)
	if s.unreadable > 0 && (s.unreadableAt == "" || s.unreadableAt == destination) {
		s.unreadable--
		return d, relay.ErrUnreadable
	}
	return d, nil
}

func (s *store) delivery(id int64, run, destination string) relay.Delivery {
	health := s.health
	if s.sick != "" && s.sick != destination {
		health = relay.Health{}
	}
	return relay.Delivery{
		Owned:       s.status == relay.StatusProcessing && s.owner == run,
		Generation:  s.generation,
		LastNumber:  s.last(destination),
		Event:       relay.Event{ID: id, EventID: "1", Type: "purchase_completed", Storefront: s.switches.Storefront},
		Switches:    s.read(),
		Destination: relay.Destination{Key: destination, Options: s.options},
		Health:      health,
	}
}

func (s *store) Begin(ctx context.Context, id int64, run string) (relay.Opening, error) {
	if s.status.Final() && s.owner == run {
		end := s.conclusion
		return relay.Opening{Ended: &end}, nil
	}
	if taken, err := s.Take(ctx, id, run); err != nil || !taken {
		return relay.Opening{}, err
	}
	sw, err := s.Switches(ctx, id)
	if err != nil {
		return relay.Opening{}, err
	}
	o := relay.Opening{Taken: true, Switches: sw, Deliveries: map[string]relay.Delivery{}}
	destinations := []string{relay.SGTM}
	if sw.SGTM == nil || !sw.SGTM.Active {
		destinations = nil
		for _, p := range sw.Platforms {
			destinations = append(destinations, p.Code)
		}
	}
	for _, d := range destinations {
		if s.unreadable == 0 || s.unreadableAt != "" && s.unreadableAt != d {
			o.Deliveries[d] = s.delivery(id, run, d)
		}
	}
	return o, nil
}

func (s *store) last(destination string) int {
	n := 0
	for _, a := range s.attempts {
		if a.Destination == destination {
			n = max(n, a.Number)
		}
	}
	return n
}

func (s *store) RecordSending(_ context.Context, attempts ...relay.Attempt) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	// The worst case: the row is stored, and the caller cannot know.
	s.attempts = append(s.attempts, attempts...)
	if s.failRecords > 0 {
		s.failRecords--
		return relay.ErrUnavailable
	}
	return nil
}

func (s *store) CompleteAttempts(_ context.Context, ends []relay.AttemptEnd) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, e := range ends {
		for i := range s.attempts {
			if s.attempts[i].AttemptID == e.AttemptID {
				s.attempts[i].Result = e.Result
			}
		}
	}
	return nil
}

func (s *store) Conclude(ctx context.Context, id int64, run string, c relay.EventOutcome, ends []relay.AttemptEnd) error {
	if err := s.CompleteAttempts(ctx, ends); err != nil {
		return err
	}
	return s.Finish(ctx, id, run, c)
}

func (s *store) Wait(_ context.Context, _ int64, w relay.Waiting) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if !w.InFlight {
		s.leasesEnded++
	}
	s.waits = append(s.waits, w)
	return nil
}

func (s *store) Finish(_ context.Context, _ int64, run string, c relay.EventOutcome) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if len(c.Unhealthy()) > 0 && s.recovers {
		s.recovers, s.health = false, relay.Health{}
		return relay.ErrRecovered
	}
	if s.status == relay.StatusProcessing && s.owner == run {
		s.status, s.conclusion = c.Status, c
	}
	return nil
}

func (s *store) Cancel(_ context.Context, _ int64, run string, c relay.EventOutcome) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.status == relay.StatusPending || s.status == relay.StatusProcessing && s.owner == run {
		s.status, s.owner, s.conclusion = c.Status, run, c
	}
	return nil
}

func (s *store) outcomes(destination string) []relay.Outcome {
	var out []relay.Outcome
	for _, a := range s.attempts {
		if a.Destination == destination {
			out = append(out, a.Result.Outcome)
		}
	}
	return out
}
