package api

import (
	"encoding/json"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// EventView is an event in a list: without its payload.
type EventView struct {
	ID             int64          `json:"id" example:"4711" doc:"The event's row."`
	EventID        string         `json:"event_id" example:"2025020100003333" doc:"The event's id, unique with its type."`
	OrderID        string         `json:"order_id" example:"2025020100003333" doc:"The order."`
	EventType      string         `json:"event_type" example:"purchase_completed" doc:"The type of the event."`
	StorefrontID   int64          `json:"storefront_id" example:"5" doc:"The storefront's id; 0 while its code is not resolved."`
	StorefrontCode string         `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	Source         string         `json:"source_system" example:"oms" doc:"Where it came from: oms is the API, oms_direct a row of OMS's own."`
	Status         relay.Status   `json:"status" enum:"pending,processing,delivered,failed,skipped" example:"failed" doc:"Its status."`
	Reason         relay.Reason   `json:"reason,omitempty" example:"exhausted" doc:"Why, for programs; of failed and skipped events."`
	ReasonText     string         `json:"reason_text,omitempty" example:"no attempts left" doc:"The reason, as a text."`
	Detail         string         `json:"detail,omitempty" example:"sgtm: no attempts left (exhausted), last response 503" doc:"How each delivery ended, in words."`
	Warnings       []string       `json:"warnings,omitempty" example:"[\"the event has a value and no currency\"]" doc:"In a list: warnings about its attempts, each once. For one event, they are with its attempts."`
	Generation     int            `json:"generation" example:"0" doc:"How often it has been retried, replayed or reset."`
	CreatedAt      time.Time      `json:"created_at" example:"2026-01-15T10:25:01Z" doc:"When it was received."`
	UpdatedAt      time.Time      `json:"updated_at" example:"2026-01-15T10:25:03Z" doc:"When its row was last written."`
	WaitingFor     relay.WaitsFor `json:"waiting_for,omitempty" enum:"retry,limit,credential,database" example:"retry" doc:"The reason for the wait before its next attempt: retry is the time after a failed one, limit its turn at a limited destination, credential one that decrypts, database the relay's own. Missing if it does not wait."`
	NextAttemptAt  *time.Time     `json:"next_attempt_at,omitempty" example:"2026-01-15T10:26:01Z" doc:"When its next attempt is due, the earliest of its destinations. Missing where nothing is waited for, or no time is known."`
	FinishedAt     *time.Time     `json:"finished_at,omitempty" example:"2026-01-15T10:40:03Z" doc:"When it ended; missing while it has not."`
	ErasedAt       *time.Time     `json:"erased_at,omitempty" example:"2026-02-15T10:40:03Z" doc:"When its data was erased: its payload is {}, hashes replace its ids, and it cannot be retried. Missing unless it was."`
	WorkflowURL    string         `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/deliver-event:4711" doc:"Its workflow in Temporal's Web UI."`
}

func (h opsHandlers) view(e ops.EventSummary) EventView {
	v := EventView{ID: e.ID, EventID: e.EventID, OrderID: e.OrderID, EventType: e.Type, StorefrontID: e.StorefrontID,
		StorefrontCode: e.StorefrontCode, Source: e.Source, Status: e.Status, Reason: e.Reason, ReasonText: e.Reason.Text(),
		Detail: e.Detail, Warnings: e.Warnings, Generation: e.Generation, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, WorkflowURL: h.EventURL(e.ID)}
	v.WaitingFor, v.NextAttemptAt = e.WaitingFor, timeOrNone(e.NextAttemptAt)
	v.FinishedAt, v.ErasedAt = timeOrNone(e.FinishedAt), timeOrNone(e.ErasedAt)
	if v.ErasedAt != nil {
		v.WorkflowURL = "" // it is gone, too
	}
	return v
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// EventDetailView is everything about one event.
type EventDetailView struct {
	EventView
	Payload  any            `json:"payload" doc:"The payload as received. Unless revealed, a value is shown only under a name that is known to be harmless, everything else is [redacted]; a payload that is not JSON is shown as a string when revealed."`
	Revealed bool           `json:"revealed" example:"false" doc:"Whether the payload is shown whole."`
	Ends     []EndView      `json:"ends" nullable:"false" doc:"How the deliveries ended, by destination, as far as they have."`
	Resend   map[string]int `json:"resend,omitempty" doc:"Destinations that get the event again although they had accepted it: by destination, the generation from which on an accepted copy counts."`
	Attempts []AttemptView  `json:"attempts" nullable:"false" doc:"Every attempt, in order."`
}

// EndView is how the delivery to one destination ended.
type EndView struct {
	Destination string        `json:"destination" example:"sgtm" doc:"sgtm, or a platform's code."`
	Outcome     relay.Outcome `json:"outcome" example:"exhausted" doc:"How it ended."`
	Reason      relay.Reason  `json:"reason,omitempty" example:"exhausted" doc:"Why, for programs."`
	ReasonText  string        `json:"reason_text,omitempty" example:"no attempts left" doc:"The reason, as a text."`
	Status      int           `json:"status,omitempty" example:"503" doc:"HTTP status of the last response."`
	Cause       relay.Reason  `json:"cause,omitempty" example:"server_error" doc:"The reason of the last attempt, where that is another one: why the attempts ran out, or the destination is unhealthy."`
	CauseText   string        `json:"cause_text,omitempty" example:"the destination reported a server error" doc:"The cause, as a text."`
}

// AttemptView is one attempt: its request, redacted, its response, its duration and its outcome.
type AttemptView struct {
	AttemptID   string          `json:"attempt_id" example:"9f86d081884c7d659a2feaa0c55ad015" doc:"Its id."`
	Generation  int             `json:"generation" example:"0" doc:"The generation of the event in which it was made."`
	Destination string          `json:"destination" example:"sgtm" doc:"sgtm, or a platform's code."`
	Number      int             `json:"number" example:"1" doc:"Number of the attempt at this destination; 0 is a decision that sent nothing."`
	StartedAt   time.Time       `json:"started_at" example:"2026-01-15T10:25:02Z" doc:"When it began."`
	DurationMS  float64         `json:"duration_ms" example:"112.4" doc:"How long it took, in milliseconds."`
	Outcome     relay.Outcome   `json:"outcome" example:"retry" doc:"Result of the attempt: accepted, retry, rejected, unauthorized, unknown; sending if it was interrupted; blocked, skipped and not_sent if nothing was sent."`
	Reason      relay.Reason    `json:"reason,omitempty" example:"server_error" doc:"Why, for programs."`
	ReasonText  string          `json:"reason_text,omitempty" example:"the destination reported a server error" doc:"The reason, as a text."`
	Detail      string          `json:"detail,omitempty" example:"storefront bosley switched off by ann" doc:"More of it, in words."`
	Request     AttemptRequest  `json:"request" doc:"The request."`
	Response    AttemptResponse `json:"response" doc:"The response."`
}

// AttemptRequest is the request, without secrets and personal values.
type AttemptRequest struct {
	Method         string   `json:"method,omitempty" example:"POST" doc:"The HTTP method; missing where nothing was sent."`
	URL            string   `json:"url,omitempty" example:"https://gtm.example.com/mp/collect?api_secret=…" doc:"The address, without query values."`
	HeaderNames    []string `json:"header_names,omitempty" example:"[\"Content-Type\"]" doc:"Names of the headers."`
	Body           any      `json:"body,omitempty" doc:"The body. A value is shown only under a name that is known to be harmless, everything else is [redacted]."`
	BodySHA256     string   `json:"body_sha256,omitempty" example:"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" doc:"SHA-256 of the bytes that left."`
	AdapterVersion string   `json:"adapter_version,omitempty" example:"sgtm/1" doc:"Which version of the relay's adapter wrote it."`
	DroppedFields  []string `json:"dropped_fields,omitempty" example:"[\"zip\"]" doc:"Names of payload fields that did not leave; [redacted] if the name itself may identify a person."`
	Warnings       []string `json:"warnings,omitempty" example:"[\"the event has a value and no currency\"]" doc:"Warnings about it."`
}

// AttemptResponse is the stored part of the response.
type AttemptResponse struct {
	Status  int               `json:"status,omitempty" example:"503" doc:"The HTTP status; missing if there was no response."`
	TraceID string            `json:"trace_id,omitempty" example:"AbCdEf" doc:"The vendor's id of the request."`
	Fields  map[string]string `json:"fields,omitempty" doc:"The known fields of the vendor's response."`
}

func (h opsHandlers) detailView(e ops.EventDetail, reveal bool) EventDetailView {
	v := EventDetailView{EventView: h.view(e.EventSummary), Revealed: reveal, Resend: e.Resend, Ends: []EndView{}, Attempts: []AttemptView{}}
	v.Payload = jsonOrText(relay.RedactBody(e.Payload))
	if reveal {
		v.Payload = jsonOrText(string(e.Payload))
	}
	for _, end := range e.Ends {
		v.Ends = append(v.Ends, EndView{end.Destination, end.Outcome, end.Reason, end.Reason.Text(), end.Status, end.Cause, end.Cause.Text()})
	}
	for _, a := range e.Attempts {
		v.Attempts = append(v.Attempts, attemptView(a))
	}
	return v
}

func attemptView(a relay.Attempt) AttemptView {
	v := AttemptView{AttemptID: a.AttemptID, Generation: a.Generation, Destination: a.Destination, Number: a.Number, StartedAt: a.StartedAt,
		DurationMS: float64(a.Duration.Microseconds()) / 1000, Outcome: a.Result.Outcome, Reason: a.Result.Reason,
		ReasonText: a.Result.Reason.Text(), Detail: a.Detail,
		Request: AttemptRequest{Method: a.Method, URL: relay.RedactURL(a.URL), HeaderNames: a.HeaderNames, BodySHA256: a.BodySHA256,
			AdapterVersion: a.AdapterVersion, DroppedFields: relay.RedactNames(a.Dropped), Warnings: a.Warnings},
		Response: AttemptResponse{Status: a.Result.Status, TraceID: a.Result.TraceID, Fields: a.Result.Fields},
	}
	if a.Body != "" { // redacted again: an earlier version may have recorded it, by a rule that showed more
		v.Request.Body = jsonOrText(relay.RedactBody([]byte(a.Body)))
	}
	return v
}

// jsonOrText returns JSON unchanged, with its numbers as they are written, and anything else as a string.
func jsonOrText(s string) any {
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return s
}
