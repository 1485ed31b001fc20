package api

import (
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// LiveCounts is the data of the stream's event "figures".
type LiveCounts struct {
	At         time.Time  `json:"at"`
	AsOf       *time.Time `json:"as_of,omitempty"` // of received, failed and waiting
	Received   int64      `json:"received"`
	Failed     int64      `json:"failed"`
	Pending    int64      `json:"pending"`
	Processing int64      `json:"processing"`
	Waiting    int64      `json:"waiting"` // not ended, of those received in the last 24 hours, as in the stats
	Oldest     float64    `json:"oldest_seconds"`
	Unhealthy  int64      `json:"unhealthy"`
}

// LiveAttempt is the data of the event attempt.
type LiveAttempt struct {
	ID          int64         `json:"id"`
	EventID     int64         `json:"event_id"`
	Storefront  string        `json:"storefront"`
	Destination string        `json:"destination"`
	Number      int           `json:"number"`
	Outcome     relay.Outcome `json:"outcome"`
	Reason      relay.Reason  `json:"reason,omitempty"`
	Status      int           `json:"status,omitempty"`
	MS          float64       `json:"ms"`
	At          time.Time     `json:"at"`
}

// LiveReplay is the data of the event replay.
type LiveReplay struct {
	ID        int64           `json:"id"`
	State     ops.ReplayState `json:"state"`
	Rate      int             `json:"rate"`
	Matched   int64           `json:"matched"`
	Started   int64           `json:"started"`
	Delivered int64           `json:"delivered"`
	Failed    int64           `json:"failed"`
	Skipped   int64           `json:"skipped"`
	InFlight  int64           `json:"in_flight"`
	Held      int64           `json:"held"`
	Remaining int64           `json:"remaining"`
	Ended     bool            `json:"ended"`
}

// LiveHealth is the data of the event health.
type LiveHealth struct {
	Storefront  string            `json:"storefront"`
	Destination string            `json:"destination"`
	State       relay.HealthState `json:"state"`
	Reason      relay.Reason      `json:"reason,omitempty"`
	LastStatus  int               `json:"last_status,omitempty"`
	Failures    int               `json:"failures"`
	Since       *time.Time        `json:"since,omitempty"`
}

// liveText documents the stream: OpenAPI cannot describe one.
const liveText = "A stream of server-sent events, each with a JSON object as its data. figures, every two seconds: at; received, failed and waiting " +
	"(of the events of the last 24 hours those that have not ended, all as GET /admin/v1/stats has them and as counted at as_of), pending and processing " +
	"(of any age, now; counting stops at 10000 each), oldest_seconds, unhealthy. attempt: id, event_id, storefront, " +
	"destination, number, outcome (sending, then how it ended), reason, status, ms, at. replay, where it has changed: id, state, rate, matched, started, delivered, " +
	"failed, skipped, in_flight, held, remaining, ended. health, where a state has changed: storefront, destination, state, reason, last_status, failures, since. " +
	"A stream begins with what is known: up to 500 attempts, the replays that run, and the destinations that are not healthy. The attempts are a sample: " +
	"of more than 700 within two seconds the oldest are left out. Nothing in it is of a person. A comment every 15 seconds keeps the connection. " +
	"The relay reads its database for all streams of a process together, and only while there is one."

func liveCounts(f ops.LiveCounts, t ops.LiveTotals) LiveCounts {
	v := LiveCounts{At: f.At, AsOf: timeOrNone(f.CountedAt), Received: t.Received, Failed: t.Failed, Pending: f.Pending, Processing: f.Processing,
		Waiting: t.Open, Unhealthy: f.Unhealthy}
	if !f.Oldest.IsZero() {
		v.Oldest = max(0, f.At.Sub(f.Oldest).Seconds())
	}
	return v
}

func liveAttempt(a ops.LiveAttempt) LiveAttempt {
	return LiveAttempt{ID: a.ID, EventID: a.EventID, Storefront: a.Storefront, Destination: a.Destination, Number: a.Number, Outcome: a.Outcome,
		Reason: a.Reason, Status: a.Status, MS: float64(a.Duration.Microseconds()) / 1000, At: a.StartedAt}
}

func liveReplay(r ops.Replay) LiveReplay {
	return LiveReplay{ID: r.ID, State: r.State, Rate: r.Rate, Matched: r.Matched, Started: r.Started, Delivered: r.Delivered, Failed: r.Failed,
		Skipped: r.Skipped, InFlight: r.InFlight(), Held: r.Held, Remaining: r.Remaining(), Ended: !r.EndedAt.IsZero()}
}

func liveHealth(h ops.LiveHealth) LiveHealth {
	return LiveHealth{Storefront: h.Storefront, Destination: h.Destination, State: h.State(), Reason: h.Reason, LastStatus: h.Status,
		Failures: h.Failures, Since: timeOrNone(h.Since)}
}
