package api

import (
	"context"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// ReplayIn is a request to deliver many events again.
type ReplayIn struct {
	Filter       EventFilter `json:"filter" doc:"Which events: the same filter as the list's. Without a status it means failed ones, with resend delivered ones."`
	Rate         int         `json:"rate,omitempty" minimum:"1" maximum:"1000" example:"20" doc:"Events a second; 20 if missing."`
	Resend       bool        `json:"resend,omitempty" example:"false" doc:"Send events again that the destinations have accepted. They count an event once only if they deduplicate by event_id."`
	Destinations []string    `json:"destinations,omitempty" nullable:"false" maxItems:"20" pattern:"^[A-Za-z0-9_-]{1,50}$" example:"[\"sgtm\"]" doc:"Of a resend: the destinations that get their accepted events again."`
	Confirm      *int64      `json:"confirm,omitempty" minimum:"0" maximum:"9007199254740991" example:"1250" doc:"The number of events of the dry run. A resend needs it; if it no longer matches, nothing is started."`
}

// ReplayAnswer has one of dry_run and replay.
type ReplayAnswer struct {
	DryRun *DryRunView `json:"dry_run,omitempty" doc:"With dry_run=true: the counts."`
	Replay *ReplayView `json:"replay,omitempty" doc:"Without: the replay that has begun."`
	// Unhealthy is a warning.
	Unhealthy []UnhealthyView `json:"unhealthy,omitempty" doc:"Unhealthy destinations that the filter may concern, 100 at most. Their events wait until they have recovered: one event is sent first, as a probe."`
}

// Examples of ReplayAnswer, for the document: one made from the schema would show both members.
const (
	dryRunExample = `{"dry_run":{"events":1250,"by":[{"storefront_id":5,"storefront_code":"bosley","destination":"sgtm","reason":"exhausted",
		"events":1250,"too_old":3}]}}`
	replayExample = `{"replay":{"id":3,"state":"running","filter":{"storefront_id":5,"statuses":["failed"],"reasons":["exhausted"]},"rate":20,
		"created_by":"ann","created_at":"2026-01-15T10:25:01Z","matched":1250,"started":0,"delivered":0,"failed":0,"skipped":0,"in_flight":0,
		"held":0,"remaining":1250,"eta":"2026-01-15T10:26:04Z"}}`
)

// DryRunView is the count of a dry run.
type DryRunView struct {
	Events  int64       `json:"events" example:"1250" doc:"How many events."`
	Partial bool        `json:"partial,omitempty" example:"false" doc:"Whether by has the oldest 10000 events only, where there are more. events counts all."`
	Tallies []TallyView `json:"by" nullable:"false" doc:"The same by storefront, destination and reason. An event may count at several destinations."`
}

// UnhealthyView is an unhealthy destination.
type UnhealthyView struct {
	StorefrontCode string       `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	Destination    string       `json:"destination" example:"sgtm" doc:"sgtm, or a platform's code."`
	Reason         relay.Reason `json:"reason,omitempty" example:"server_error" doc:"Why its latest attempt failed."`
	LastStatus     int          `json:"last_status,omitempty" example:"503" doc:"The HTTP status of that attempt."`
	Since          *time.Time   `json:"unhealthy_since,omitempty" example:"2026-01-15T10:26:01Z" doc:"Since when."`
	NextProbeAt    *time.Time   `json:"next_probe_at,omitempty" example:"2026-01-15T10:28:16Z" doc:"When the relay looks by itself."`
}

func (h opsHandlers) unhealthyViews(list []ops.DestinationStatus) []UnhealthyView {
	var views []UnhealthyView
	for _, d := range list {
		views = append(views, UnhealthyView{d.StorefrontCode, d.Destination, d.Health.Reason, d.Health.Status, timeOrNone(d.UnhealthySince), timeOrNone(d.NextProbe)})
	}
	return views
}

// TallyView is the events of one storefront, destination and reason.
type TallyView struct {
	StorefrontID   int64        `json:"storefront_id" example:"5" doc:"The storefront's id."`
	StorefrontCode string       `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	Destination    string       `json:"destination,omitempty" example:"sgtm" doc:"Where the delivery ended; missing where none has: the kill switches will decide."`
	Reason         relay.Reason `json:"reason,omitempty" example:"exhausted" doc:"Why."`
	Events         int64        `json:"events" example:"1250" doc:"How many."`
	TooOld         int64        `json:"too_old" example:"3" doc:"How many of them the destination would refuse for their age."`
}

func dryRunView(d ops.DryRun) *DryRunView {
	v := &DryRunView{Events: d.Events, Partial: d.Partial, Tallies: []TallyView{}}
	for _, t := range d.Tallies {
		v.Tallies = append(v.Tallies, TallyView{t.StorefrontID, t.StorefrontCode, t.Destination, t.Reason, t.Events, t.TooOld})
	}
	return v
}

// ReplayView is how far a replay is.
type ReplayView struct {
	ID          int64           `json:"id" example:"3" doc:"The replay."`
	State       ops.ReplayState `json:"state" enum:"running,paused,cancelled,done" example:"running" doc:"Its state. It is done once every event that it started has ended."`
	Filter      FilterView      `json:"filter" doc:"Which events it picks."`
	Resend      []string        `json:"resend,omitempty" example:"[\"sgtm\"]" doc:"Destinations that get their accepted events again."`
	Rate        int             `json:"rate" example:"20" doc:"Events a second."`
	CreatedBy   string          `json:"created_by" example:"ann" doc:"The login that created it."`
	CreatedAt   time.Time       `json:"created_at" example:"2026-01-15T10:25:01Z" doc:"When it began."`
	EndedAt     *time.Time      `json:"ended_at,omitempty" example:"2026-01-15T10:45:01Z" doc:"When its last event had ended."`
	Matched     int64           `json:"matched" example:"1250" doc:"Events that the filter picked when it began; for a replay of the relay's own, when it took its first step. 0 where they were too many to count."`
	Started     int64           `json:"started" example:"400" doc:"Events that were set back and are being delivered."`
	Delivered   int64           `json:"delivered" example:"380" doc:"Of those: delivered."`
	Failed      int64           `json:"failed" example:"5" doc:"Of those: failed again."`
	Skipped     int64           `json:"skipped" example:"0" doc:"Of those: skipped again."`
	InFlight    int64           `json:"in_flight" example:"15" doc:"Of those: not ended yet."`
	Held        int64           `json:"held" example:"0" doc:"Events that wait until their destination is healthy; they are among the remaining ones."`
	Remaining   int64           `json:"remaining" example:"850" doc:"Events that are still to be started."`
	ETA         *time.Time      `json:"eta,omitempty" example:"2026-01-15T10:46:00Z" doc:"When the last one will have been started, at this rate; while it runs."`
	WorkflowURL string          `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/replay-events:3" doc:"Its workflow in Temporal's Web UI."`
}

// FilterView is ops.Filter under the names of the document.
type FilterView struct {
	OrderID      string         `json:"order_id,omitempty" example:"2025020100003333" doc:"The order, or the event's own id."`
	StorefrontID int64          `json:"storefront_id,omitempty" example:"5" doc:"The storefront's id."`
	Storefront   string         `json:"storefront,omitempty" example:"bosley" doc:"The storefront's code; missing of one that was deleted."`
	Type         string         `json:"type,omitempty" example:"purchase_completed" doc:"The type of the event."`
	Statuses     []relay.Status `json:"statuses,omitempty" example:"[\"failed\"]" doc:"The statuses."`
	Reasons      []relay.Reason `json:"reasons,omitempty" example:"[\"exhausted\"]" doc:"The reasons."`
	Source       string         `json:"source,omitempty" example:"oms" doc:"Where the event came from."`
	Destination  string         `json:"destination,omitempty" example:"sgtm" doc:"A destination at which a delivery of the event ended."`
	FailedAt     string         `json:"failed_at,omitempty" example:"sgtm" doc:"A destination at which a delivery of the event ended without being accepted."`
	AcceptedBy   []string       `json:"accepted_by,omitempty" example:"[\"sgtm\"]" doc:"Destinations, one of which has accepted the event."`
	From         time.Time      `json:"from,omitzero" example:"2026-01-15T00:00:00Z" doc:"Events received at this time or later."`
	To           time.Time      `json:"to,omitzero" example:"2026-01-16T00:00:00Z" doc:"Events received before this time."`
}

func filterView(f ops.Filter) FilterView {
	return FilterView{OrderID: f.OrderID, StorefrontID: f.StorefrontID, Type: f.Type, Statuses: f.Statuses, Reasons: f.Reasons,
		Source: f.Source, Destination: f.Destination, FailedAt: f.FailedAt, AcceptedBy: f.AcceptedBy, From: f.From, To: f.To}
}

// ReplayList is one page of replays.
type ReplayList struct {
	Items      []ReplayView `json:"items" nullable:"false" doc:"The page, newest first."`
	NextCursor string       `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"For the next page; missing on the last one."`
}

func (h opsHandlers) replayView(r ops.Replay) ReplayView {
	v := ReplayView{ID: r.ID, State: r.State, Filter: filterView(r.Filter), Resend: r.Resend, Rate: r.Rate, CreatedBy: r.By, CreatedAt: r.CreatedAt,
		EndedAt: timeOrNone(r.EndedAt), Matched: r.Matched, Started: r.Started, Delivered: r.Delivered, Failed: r.Failed, Skipped: r.Skipped,
		InFlight: r.InFlight(), Held: r.Held, Remaining: r.Remaining(), WorkflowURL: h.ReplayURL(r.ID)}
	if r.State == ops.ReplayRunning && v.Remaining > 0 && r.Rate > 0 {
		eta := time.Now().UTC().Add(time.Duration(v.Remaining) * time.Second / time.Duration(r.Rate)).Truncate(time.Second)
		v.ETA = &eta
	}
	return v
}

type place struct {
	storefront  int64
	destination string
}

// maxAges returns the maximum age of an event at a destination, from an adapter's request for a fresh one.
type maxAges struct {
	h      opsHandlers
	ctx    context.Context //nolint:containedctx // of one dry run
	setups map[int64]ops.StorefrontConfig
	known  map[place]time.Duration
}

func (m *maxAges) of(storefront int64, destination string) time.Duration {
	p := place{storefront, destination}
	if age, ok := m.known[p]; ok {
		return age
	}
	setup, ok := m.setups[storefront]
	if !ok {
		setup, _ = m.h.Configs.StorefrontConfig(m.ctx, storefront) // a storefront that is gone has no destinations
		m.setups[storefront] = setup
	}
	adapter, speaks := m.h.Adapters[destination]
	d, configured := setup.Destinations[destination]
	if speaks && configured {
		r, _ := adapter.Request(letThrough(d), testEvent(setup.Switches.Storefront, saleName)) // where it refuses, no limit is known
		m.known[p] = r.MaxAge
	} else {
		m.known[p] = 0
	}
	return m.known[p]
}
