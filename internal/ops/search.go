package ops

import (
	"time"

	"relay/internal/relay"
)

// Filter picks events. Its zero fields pick everything; OrderID matches order ids and event ids. It holds names and
// numbers of ours only, so that it may be stored and shown.
type Filter struct {
	OrderID      string         `json:"order_id,omitempty"`
	StorefrontID int64          `json:"storefront_id,omitempty"`
	Type         string         `json:"type,omitempty"`
	Statuses     []relay.Status `json:"statuses,omitempty"`
	Reasons      []relay.Reason `json:"reasons,omitempty"`
	Source       string         `json:"source,omitempty"`
	// Destination picks events with a delivery that ended there, with any outcome; FailedAt those with one that ended there without
	// being accepted, which a replay sends there again; AcceptedBy those that one of these accepted.
	Destination string   `json:"destination,omitempty"`
	FailedAt    string   `json:"failed_at,omitempty"`
	AcceptedBy  []string `json:"accepted_by,omitempty"`
	// WaitingAt picks events in delivery whose delivery to this destination has not ended.
	WaitingAt string `json:"-"`
	// Kept leaves out events that were erased: they can't be delivered again.
	Kept bool `json:"-"`
	// From and To bound the time of the row: From ≤ created < To.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Position is a place in the order of events: by the time of their rows, then by id. The zero Position is before
// everything, in either direction.
type Position struct {
	At time.Time
	ID int64
}

// IsZero reports whether it is the beginning.
func (p Position) IsZero() bool { return p.ID == 0 }

// EventPage is a page of the list of events. It may be short or empty although more match: a search stops after a bounded
// number of scanned rows. Next is the cursor; the zero value is the end.
type EventPage struct {
	Items []EventSummary
	Next  Position
}

// CountBound is the limit of a count of events.
const CountBound = 10_000

// EventCount is the number of events that a filter picks. More says that there are more, or may be: counting stops at
// CountBound, and after a bounded number of scanned rows.
type EventCount struct {
	N    int64
	More bool
}

// EventSummary is an event without its payload.
type EventSummary struct {
	ID             int64
	EventID        string
	OrderID        string
	Type           string
	StorefrontID   int64 // 0 where the row's code is not resolved
	StorefrontCode string
	Source         string
	Status         relay.Status
	Reason         relay.Reason
	Detail         string
	Generation     int
	CreatedAt      time.Time
	UpdatedAt      time.Time
	FinishedAt     time.Time      // zero while it has not ended
	ErasedAt       time.Time      // zero unless its payload and its ids were erased
	WaitingFor     relay.WaitsFor // "" unless it waits for its next attempt
	NextAttemptAt  time.Time      // when that is due; zero where it is not known
	// Warnings lists the warnings of its attempts, each once, in order; only a page of SearchEvents has them.
	Warnings []string
}

// EventDetail is everything about one event.
type EventDetail struct {
	EventSummary
	Payload  []byte // as received, person fields included
	Ends     []relay.DeliveryResult
	Resend   map[string]int  // by destination: the generation from which on an accepted copy counts
	Attempts []relay.Attempt // in order
}

// RetryResult is the result of a retry request: the event was reset to pending, or its status forbids it.
type RetryResult struct {
	Retried    bool
	Status     relay.Status
	Generation int
	Erased     bool // and so can't be
}

// StorefrontConfig is a storefront's whole configuration, as a preview needs it. Destinations whose secrets do not decrypt are in
// Unreadable, without their secrets.
type StorefrontConfig struct {
	Switches     relay.Switches
	Destinations map[string]relay.Destination
	Unreadable   map[string]bool
}
