package api

import (
	"context"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// EventFilter picks events; an empty field picks all.
type EventFilter struct {
	OrderID     string         `query:"order_id" json:"order_id,omitempty" maxLength:"100" example:"2025020100003333" doc:"The order, or the event's own id."`
	Storefront  string         `query:"storefront" json:"storefront,omitempty" maxLength:"50" example:"bosley" doc:"The storefront's code."`
	EventType   string         `query:"event_type" json:"event_type,omitempty" maxLength:"50" example:"purchase_completed" doc:"The type of the event."`
	Status      []relay.Status `query:"status" json:"status,omitempty" nullable:"false" maxItems:"5" enum:"pending,processing,delivered,failed,skipped" example:"[\"failed\"]" doc:"The statuses, several with commas between."`
	Reason      []relay.Reason `query:"reason" json:"reason,omitempty" nullable:"false" maxItems:"20" example:"[\"exhausted\"]" doc:"The reasons, several with commas between. Only failed and skipped events have one."`
	Source      string         `query:"source" json:"source,omitempty" maxLength:"50" example:"oms" doc:"Where the event came from: oms is the API, oms_direct a row of OMS's own."`
	Destination string         `query:"destination" json:"destination,omitempty" pattern:"^[A-Za-z0-9_-]{1,50}$" example:"sgtm" doc:"A destination at which a delivery of the event ended, one way or another: sgtm or a platform's code."`
	FailedAt    string         `query:"failed_at" json:"failed_at,omitempty" pattern:"^[A-Za-z0-9_-]{1,50}$" example:"sgtm" doc:"A destination at which a delivery of the event ended without being accepted: a replay sends these there again."`
	From        time.Time      `query:"from" json:"from,omitzero" example:"2026-01-15T00:00:00Z" doc:"Events received at this time or later, RFC 3339."`
	To          time.Time      `query:"to" json:"to,omitzero" example:"2026-01-16T00:00:00Z" doc:"Events received before this time, RFC 3339."`
}

// filter resolves the storefront. A reason without a status means the statuses that have one.
func (h opsHandlers) filter(ctx context.Context, in EventFilter, field string) (ops.Filter, error) {
	if err := checkTimes(codeInvalidValue, field, in.From, in.To); err != nil {
		return ops.Filter{}, err
	}
	id, err := h.storefrontID(ctx, in.Storefront, field+"storefront")
	if err != nil {
		return ops.Filter{}, err
	}
	f := ops.Filter{OrderID: in.OrderID, StorefrontID: id, Type: in.EventType, Statuses: once(in.Status), Reasons: once(in.Reason), Source: in.Source,
		Destination: in.Destination, FailedAt: in.FailedAt, From: in.From.UTC(), To: in.To.UTC()}
	if len(f.Reasons) > 0 && len(f.Statuses) == 0 {
		f.Statuses = []relay.Status{relay.StatusFailed, relay.StatusSkipped}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return f, refuseField(codeInvalidValue, field+"to", "must be after from")
	}
	return f, nil
}

// once returns each value of a parameter once: the statement reads the rows of each status, and would return and count those of a
// repeated one twice.
func once[S ~string](values []S) []S { return slices.Compact(slices.Sorted(slices.Values(values))) }

// checkTimes refuses a window's ends that the database has no date for: an offset can lead out of the years that the text
// names.
func checkTimes(c code, prefix string, from, to time.Time) error {
	for _, end := range []struct {
		field string
		at    time.Time
	}{{"from", from}, {"to", to}} {
		if !inCalendar(end.at) {
			return refuseField(c, prefix+end.field, "the time must be within the years 1 to 9999, in UTC")
		}
	}
	return nil
}

// inCalendar reports whether a time has a date in the database.
func inCalendar(t time.Time) bool {
	year := t.UTC().Year()
	return 1 <= year && year <= 9999
}

// eventsOrder is the one order of the list of events; cursors of other lists are none of it.
const eventsOrder = "-created_at"

func positionText(p ops.Position) string {
	if p.IsZero() {
		return ""
	}
	return cursor{eventsOrder, p.At.UTC().Format(time.RFC3339Nano), p.ID}.String()
}

func parsePosition(s string) (ops.Position, error) {
	if s == "" {
		return ops.Position{}, nil
	}
	c, err := parseCursor(s, eventsOrder)
	if err != nil {
		return ops.Position{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, c.Value)
	if err != nil || !inCalendar(at) {
		return ops.Position{}, refuseField(codeInvalidParameter, "cursor", "the cursor is not one of this list")
	}
	return ops.Position{At: at, ID: c.ID}, nil
}
