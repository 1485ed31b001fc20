package api

import (
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// DestinationList is one page of destinations.
type DestinationList struct {
	Items      []DestinationView `json:"items" nullable:"false" doc:"The page, in the order of the storefronts' ids and then of the destinations' keys."`
	NextCursor string            `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"For the next page; missing on the last one."`
}

// DestinationView is one configured destination of a storefront.
type DestinationView struct {
	StorefrontID   int64        `json:"storefront_id" example:"5" doc:"The storefront's id."`
	StorefrontCode string       `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	Destination    string       `json:"destination" example:"sgtm" doc:"sgtm, or a platform's code."`
	Receives       bool         `json:"receives_events" example:"true" doc:"Whether it receives the storefront's events."`
	Reason         relay.Reason `json:"reason,omitempty" example:"storefront_disabled" doc:"Why not; behind_container of a platform that gets only the events that the container does not accept."`
	Switches       []SwitchView `json:"switches" nullable:"false" doc:"The kill switches on its way, from the storefront down."`
	Health         HealthView   `json:"health" doc:"Its health."`
	Waiting        int          `json:"waiting" example:"12" doc:"Events in flight whose delivery there has not ended: on the wire, or waiting for a retry or a limit. Counting stops at 1000 events of the storefront."`
	Failed         int          `json:"failed" example:"40" doc:"Of an unhealthy one: failed events that are sent again when it has recovered, among the newest 10000 failed events."`
	ReplayID       int64        `json:"replay_id,omitempty" example:"3" doc:"The newest replay of its events, alone, that has not ended; missing without one."`
	Limits         LimitsView   `json:"limits" doc:"Its limits, for each worker process."`
}

// DestinationDetail is one destination with its history.
type DestinationDetail struct {
	DestinationView
	History []AuditEntry `json:"history" nullable:"false" doc:"The newest 10 lines of the audit about it: its settings, test events and probes, and the switches on its way."`
}

// SwitchView is one kill switch.
type SwitchView struct {
	Level    string     `json:"level" enum:"storefront,sgtm,platform,credential" example:"storefront" doc:"Which one."`
	ID       int64      `json:"id" example:"5" doc:"The id of the storefront, sGTM config, platform or credential that has it: activate and deactivate set it."`
	On       bool       `json:"is_active" example:"true" doc:"Whether it is on."`
	Fallback string     `json:"fallback,omitempty" enum:"direct,stop" example:"direct" doc:"Of the container: where events go while it is off."`
	SetBy    string     `json:"switched_by,omitempty" example:"ann" doc:"Who set it as it is; missing if the audit log has no entry."`
	SetAt    *time.Time `json:"switched_at,omitempty" example:"2026-01-15T10:25:01Z" doc:"When."`
}

// HealthView is how a destination fares.
type HealthView struct {
	State          relay.HealthState `json:"state" enum:"healthy,failing,unhealthy" example:"unhealthy" doc:"failing: its latest attempts failed. unhealthy: they have failed for so long that new events are turned away, and fail until it has recovered."`
	Reason         relay.Reason      `json:"reason,omitempty" example:"server_error" doc:"Why its latest attempt failed."`
	LastStatus     int               `json:"last_status,omitempty" example:"503" doc:"The HTTP status of that attempt; missing where there was no response."`
	Failures       int               `json:"failures" example:"240" doc:"Failed attempts since the last success."`
	LastAttemptAt  *time.Time        `json:"last_attempt_at,omitempty" example:"2026-01-15T10:26:31Z" doc:"When the latest attempt ended, up to ten seconds ago; missing before the first."`
	LastAcceptedAt *time.Time        `json:"last_accepted_at,omitempty" example:"2026-01-15T10:24:58Z" doc:"When it last accepted an event, likewise; missing if it never has."`
	FailingSince   *time.Time        `json:"failing_since,omitempty" example:"2026-01-15T10:25:01Z" doc:"When the first of them was."`
	LastFailureAt  *time.Time        `json:"last_failure_at,omitempty" example:"2026-01-15T10:26:31Z" doc:"When the latest failure was, of a healthy one, too."`
	UnhealthySince *time.Time        `json:"unhealthy_since,omitempty" example:"2026-01-15T10:26:01Z" doc:"Since when events are turned away."`
	Probes         int               `json:"probes,omitempty" example:"3" doc:"How often it has been probed since."`
	LastProbeAt    *time.Time        `json:"last_probe_at,omitempty" example:"2026-01-15T10:27:16Z" doc:"The latest probe."`
	NextProbeAt    *time.Time        `json:"next_probe_at,omitempty" example:"2026-01-15T10:28:16Z" doc:"From then on an event is sent to find out whether it has recovered."`
}

// LimitsView are the limits of a destination.
type LimitsView struct {
	InFlight  int     `json:"in_flight,omitempty" example:"10" doc:"Requests at a time; missing is no limit."`
	PerSecond float64 `json:"per_second,omitempty" example:"50" doc:"Requests a second; missing is no limit."`
}

// ProbeAnswer is the result of a request to probe a destination.
type ProbeAnswer struct {
	Probe       string          `json:"probe" enum:"started,next_event,not_needed" example:"started" doc:"started: event_id is sent again. next_event: no event failed there, the next one that comes is the probe. not_needed: it is not unhealthy."`
	EventID     int64           `json:"event_id,omitempty" example:"4711" doc:"The event that is sent again."`
	Text        string          `json:"text" example:"Event 4711 is sent again." doc:"The same in words."`
	Destination DestinationView `json:"destination" doc:"The destination as it was before."`
}

func (h opsHandlers) destinationView(d ops.DestinationStatus) DestinationView {
	v := DestinationView{StorefrontID: d.StorefrontID, StorefrontCode: d.StorefrontCode, Destination: d.Destination, Switches: []SwitchView{},
		Waiting: d.Waiting, Failed: d.Failed, ReplayID: d.ReplayID, Limits: LimitsView(d.Limits), Health: HealthView{
			State: d.Health.State(), Reason: d.Health.Reason, LastStatus: d.Health.Status, Failures: max(0, d.Health.Failures),
			FailingSince: timeOrNone(d.Health.Since), LastFailureAt: timeOrNone(d.FailedAt), UnhealthySince: timeOrNone(d.UnhealthySince),
			LastAttemptAt: timeOrNone(d.LastAttempts.Attempt), LastAcceptedAt: timeOrNone(d.LastAttempts.Accepted),
			LastProbeAt: timeOrNone(d.ProbedAt), NextProbeAt: timeOrNone(d.NextProbe), Probes: d.Health.Probes}}
	v.Receives, v.Reason = h.receives(d)
	for _, l := range d.Levels {
		view := SwitchView{ID: l.EntityID, Level: l.Level, On: l.Active, SetBy: l.SwitchChange.By, SetAt: timeOrNone(l.SwitchChange.At)}
		if l.Level == ops.LevelSGTM {
			view.Fallback = map[bool]string{true: "stop", false: "direct"}[d.Switches.SGTM.Stop]
		}
		v.Switches = append(v.Switches, view)
	}
	return v
}
