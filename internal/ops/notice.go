package ops

import (
	"time"

	"relay/internal/relay"
)

// NoticeKind is what a notice of the relay is about. At most one notice of a kind is unsent at a time.
type NoticeKind string

// The kinds.
const (
	NoticeUnhealthy  NoticeKind = "destination_unhealthy"
	NoticeCredential NoticeKind = "credential_refused"
	NoticeWaiting    NoticeKind = "events_wait"
	NoticeFailing    NoticeKind = "events_fail"
	NoticeUnknown    NoticeKind = "unknown_storefront"
	NoticeRepairs    NoticeKind = "rows_repaired"
	NoticeSummary    NoticeKind = "daily_summary"
	NoticeTest       NoticeKind = "test"
)

// NoticeKinds lists all kinds.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeUnhealthy, NoticeCredential, NoticeWaiting, NoticeFailing, NoticeUnknown, NoticeRepairs, NoticeSummary, NoticeTest}
}

// lasting are the kinds that report a state and its end.
var lasting = []NoticeKind{NoticeUnhealthy, NoticeCredential, NoticeWaiting, NoticeFailing, NoticeUnknown}

// NoticePhase distinguishes the notices of a kind.
type NoticePhase string

// The phases: a state began, a state ended, or something happened that has no end.
const (
	NoticeAlert    NoticePhase = "alert"
	NoticeRecovery NoticePhase = "recovery"
	NoticeReport   NoticePhase = "report"
)

// NoticeSubject is one thing that a notice names: by codes, with counts. It never holds anything of an event.
type NoticeSubject struct {
	Storefront  string        `json:"storefront,omitempty"`
	Destination string        `json:"destination,omitempty"`
	Reason      relay.Reason  `json:"reason,omitempty"`
	Status      int           `json:"status,omitempty"` // of HTTP
	Since       time.Time     `json:"since,omitzero"`
	Until       time.Time     `json:"until,omitzero"` // where its state has ended
	Failed      int64         `json:"failed,omitempty"`
	Ended       int64         `json:"ended,omitempty"` // deliveries, of which Failed failed
	Rows        int64         `json:"rows,omitempty"`
	Events      *NoticeCounts `json:"events,omitempty"` // of a daily summary
}

// NoticeCounts counts the events received on a day, by their present state.
type NoticeCounts struct {
	Received  int64 `json:"received"`
	Delivered int64 `json:"delivered"`
	Failed    int64 `json:"failed"`
	Skipped   int64 `json:"skipped"`
	Open      int64 `json:"open"`
}

// Notice is one message of the relay to the people who run it. More counts subjects beyond those that it lists, Left those that
// a recovery leaves.
type Notice struct {
	ID       int64
	Kind     NoticeKind
	Phase    NoticePhase
	At       time.Time
	Subjects []NoticeSubject
	More     int
	Left     int
}

// NoticeRules say when there are notices. OldestPending, FailureShare and Daily are off where they are zero.
type NoticeRules struct {
	Every         time.Duration // at most one alert of a kind in this time
	Wait          time.Duration // for which a state, or its end, lasts before it is reported
	OldestPending time.Duration
	FailureShare  float64
	Daily         *time.Duration // since midnight, UTC
}

// NoticeStatus is how the notices fare. LastReason is why the latest attempt failed that has not been made good since.
type NoticeStatus struct {
	LastSent   time.Time
	LastKind   NoticeKind
	Unsent     int
	LastReason relay.Reason
}
