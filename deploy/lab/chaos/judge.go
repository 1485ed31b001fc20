package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"relay/deploy/sandbox"
	"relay/internal/relay"
)

// row is an event's row of the inbox.
type row struct {
	id     int64
	sent   sent
	status relay.Status
	reason relay.Reason
	ends   []relay.DeliveryResult
}

// attemptCount counts the attempts of an event at one destination.
type attemptCount struct {
	sends      int // rows of attempts that could have left the relay
	sending    int // interrupted: killed between send and record
	noResponse int // whose response was lost, cut off or late
}

type pair struct {
	id          int64
	destination string
}

type landing struct{ path, key string }

// evidence is the input of a check.
type evidence struct {
	ledger   []sent
	rows     []row
	attempts map[pair]attemptCount
	arrivals map[landing]sandbox.Arrival
}

// Verdict holds the counts of the accepted events, and the broken promises.
type Verdict struct {
	Accepted int
	ByStatus map[relay.Status]int
	Reasons  map[relay.Reason]int // of those that did not arrive
	Sends    int                  // rows of attempts that could have left
	Requests int                  // at the destinations; an attempt that was killed before the send has a row, but no request
	Unsent   int                  // rows without a request: killed, or refused by the network, before the request left

	// Copies are the events that a destination accepted more than once, counted without the first. KilledBetween are those
	// whose attempt stayed sending; NoResponse those whose response was lost or late.
	Copies, KilledBetween, NoResponse int

	Missing      []string // accepted, without a row
	Open         []string // neither delivered, failed nor skipped
	Unreceived   []string // delivered, and not received
	Unexplained  []string // copies that no attempt explains
	Unrecorded   []string // more requests than attempts
	Unknown      []string // received, and never accepted
	Contradicted []string // delivered without a destination that accepted
}

// judge compares rows, attempts and arrivals.
func judge(e evidence) Verdict {
	v := Verdict{Accepted: len(e.ledger), ByStatus: map[relay.Status]int{}, Reasons: map[relay.Reason]int{}}
	rows := make(map[sent]row, len(e.rows))
	for _, r := range e.rows {
		rows[r.sent] = r
	}
	known := make(map[landing]bool, len(e.arrivals))
	for _, s := range e.ledger {
		r, ok := rows[s]
		if !ok {
			v.Missing = append(v.Missing, s.order)
			continue
		}
		v.ByStatus[r.status]++
		if !r.status.Final() {
			v.Open = append(v.Open, fmt.Sprintf("%s (%d) is %s", s.order, r.id, r.status))
		}
		if r.status != relay.StatusDelivered {
			v.Reasons[r.reason]++
		}
		v.received(r, e)
		for _, d := range destinations(s.storefront) {
			at := landing{pathOf(s.storefront, d), s.key()}
			known[at] = true
			v.copies(r, d, e.attempts[pair{r.id, d}], e.arrivals[at])
		}
	}
	for at, a := range e.arrivals {
		if !known[at] {
			v.Unknown = append(v.Unknown, fmt.Sprintf("%s at %s, %d times", a.Key, a.Path, a.Count))
		}
	}
	return v
}

// received checks that the deliveries recorded as accepted did arrive.
func (v *Verdict) received(r row, e evidence) {
	accepted := 0
	for _, end := range r.ends {
		if end.Outcome != relay.Accepted {
			continue
		}
		accepted++
		if e.arrivals[landing{pathOf(r.sent.storefront, end.Destination), r.sent.key()}].Taken == 0 {
			v.Unreceived = append(v.Unreceived, r.sent.order+" at "+end.Destination)
		}
	}
	if (r.status == relay.StatusDelivered) != (accepted == len(destinations(r.sent.storefront))) {
		v.Contradicted = append(v.Contradicted, fmt.Sprintf("%s is %s with %d destinations that accepted", r.sent.order, r.status, accepted))
	}
}

// copies counts the duplicates at a destination, and their explanations.
func (v *Verdict) copies(r row, destination string, t attemptCount, a sandbox.Arrival) {
	v.Sends, v.Requests, v.Unsent = v.Sends+t.sends, v.Requests+a.Count, v.Unsent+max(0, t.sends-a.Count)
	if without := t.sends - a.Count; without > t.sending+t.noResponse {
		v.Unexplained = append(v.Unexplained, fmt.Sprintf("%s (%d) at %s: %d attempts, %d requests", r.sent.order, r.id, destination, t.sends, a.Count))
	}
	if a.Count > t.sends {
		v.Unrecorded = append(v.Unrecorded, fmt.Sprintf("%s at %s: %d requests, %d attempts", r.sent.order, destination, a.Count, t.sends))
	}
	extra := max(0, a.Taken-1)
	killed := min(extra, t.sending)
	lost := min(extra-killed, t.noResponse)
	v.Copies, v.KilledBetween, v.NoResponse = v.Copies+extra, v.KilledBetween+killed, v.NoResponse+lost
	if extra > killed+lost {
		v.Unexplained = append(v.Unexplained, fmt.Sprintf("%s (%d) at %s: accepted %d times", r.sent.order, r.id, destination, a.Taken))
	}
}

// err names the broken promises, with a few examples of each.
func (v Verdict) err() error {
	var errs []error
	for _, broken := range []struct {
		promise string
		list    []string
	}{
		{"accepted events without a row", v.Missing}, {"events without a final status", v.Open},
		{"delivered events that were not received", v.Unreceived}, {"copies that no attempt explains", v.Unexplained},
		{"requests without an attempt", v.Unrecorded}, {"requests of events that were not accepted", v.Unknown},
		{"rows whose status and destinations disagree", v.Contradicted},
	} {
		if n := len(broken.list); n > 0 {
			errs = append(errs, fmt.Errorf("%d %s: %s", n, broken.promise, strings.Join(broken.list[:min(n, 5)], "; ")))
		}
	}
	return errors.Join(errs...)
}

// Lost returns how many accepted events are missing or were not received.
func (v Verdict) Lost() int { return len(v.Missing) + len(v.Open) + len(v.Unreceived) }

func destinations(storefront string) []string {
	if storefront == brio {
		return fanOut
	}
	return []string{relay.SGTM}
}

func pathOf(storefront, destination string) string {
	if destination == relay.SGTM {
		return "/" + storefront + "/mp/collect"
	}
	return "/" + storefront + "/platform/" + destination
}

// judge collects the evidence of a round and checks it.
func (l *env) judge(ctx context.Context, load *load, r *Round) error {
	e := evidence{ledger: load.events(), attempts: map[pair]attemptCount{}, arrivals: map[landing]sandbox.Arrival{}}
	arrivals, err := l.system.Sandbox.Arrivals(ctx)
	if err != nil {
		return err
	}
	firsts := make([]time.Time, 0, len(arrivals))
	for _, a := range arrivals {
		e.arrivals[landing{a.Path, a.Key}] = a
		firsts = append(firsts, a.First)
	}
	slices.SortFunc(firsts, time.Time.Compare)
	recoveries(r.Crashes, firsts)
	if e.rows, err = l.rows(ctx); err != nil {
		return err
	}
	if err := l.attempts(ctx, e.attempts); err != nil {
		return err
	}
	r.Verdict = judge(e)
	return nil
}

// recoveries finds for each crash the first delivery after it of an event that had not been on the wire before.
func recoveries(crashes []Crash, firsts []time.Time) {
	for i := range crashes {
		c := &crashes[i]
		n, _ := slices.BinarySearchFunc(firsts, c.Up, time.Time.Compare)
		switch {
		case n == len(firsts), i+1 < len(crashes) && firsts[n].After(crashes[i+1].At):
			c.Overtaken = true
		default:
			c.Recovery = firsts[n].Sub(c.Up)
		}
	}
}

func (l *env) rows(ctx context.Context) ([]row, error) {
	found, err := l.pool.QueryContext(ctx, `SELECT id, event_id, event_type, COALESCE(storefront_code, ''), status, COALESCE(reason, ''),
		COALESCE(ends, '[]') FROM marketing_events`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var all []row
	for found.Next() {
		var r row
		var ends []byte
		if err := found.Scan(&r.id, &r.sent.order, &r.sent.kind, &r.sent.storefront, &r.status, &r.reason, &ends); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(ends, &r.ends); err != nil {
			return nil, fmt.Errorf("ends of event %d: %w", r.id, err)
		}
		all = append(all, r)
	}
	return all, found.Err()
}

func (l *env) attempts(ctx context.Context, into map[pair]attemptCount) error {
	found, err := l.pool.QueryContext(ctx, `SELECT marketing_event_id, destination, SUM(number > 0),
		SUM(outcome = 'sending'), SUM(number > 0 AND outcome <> 'sending' AND (response_status IS NULL OR COALESCE(reason, '') IN ('network_error', 'timeout')))
		FROM event_attempts GROUP BY marketing_event_id, destination`)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var at pair
		var t attemptCount
		if err := found.Scan(&at.id, &at.destination, &t.sends, &t.sending, &t.noResponse); err != nil {
			return err
		}
		into[at] = t
	}
	return found.Err()
}
