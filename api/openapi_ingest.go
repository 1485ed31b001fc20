package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The types of this file describe the bodies of ingestion and health, for the document. Nothing decodes into them.

// EventBatch is the body of POST /v1/events.
type EventBatch struct {
	_     struct{}    `json:"-" additionalProperties:"true"`
	Count int         `json:"count,omitempty" example:"3" doc:"How many items there are. A wrong number is a warning."`
	Data  []EventItem `json:"data" doc:"The events."`
}

// EventItem is one event of a batch. The rules of ingestion add which fields are required, and their lengths.
type EventItem struct {
	_             struct{} `json:"-" additionalProperties:"true"`
	StorefrontID  string   `json:"storefront_id" example:"bosley" doc:"The code of an existing storefront."`
	EventName     string   `json:"event_name" example:"purchase_completed" doc:"The type of the event; stored in lower case."`
	EventTime     string   `json:"event_time" example:"2026-01-15T10:25:00Z" doc:"When it happened, in RFC 3339, years 1 to 9999. Without an offset it is read as UTC, with a warning."`
	OrderID       string   `json:"order_id" example:"2025020100003333" doc:"The order. Without an event_id, it is the event's id, too."`
	EventID       string   `json:"event_id" example:"2025020100003333-refund-1" doc:"The event's own id, unique with event_name over all storefronts. Refunds, renewals, cancellations and further purchases of an order need one each. Default: order_id."`
	OrderRevenue  float64  `json:"order_revenue" minimum:"0" example:"80.79" doc:"The value of the order, zero or more; a refund's is the refunded amount."`
	OrderCurrency string   `json:"currency" example:"USD" doc:"ISO 4217. Default: the storefront's own."`
	TValue        string   `json:"t-value" example:"bosleyaffiliate_0123" doc:"The affiliate."`
}

// Health is the body of GET /health.
type Health struct {
	Status string `json:"status" enum:"ok" example:"ok" doc:"Always ok: the process lives."`
}

// sampleBatch is the brief's sample.
const sampleBatch = `{
  "count": 3,
  "data": [
    {"t-value": "bosleyaffiliate_0123", "storefront_id": "bosley", "event_name": "consult_started", "event_time": "2026-01-15T10:15:00Z",
     "order_id": "2025010100001111", "session_id": "sess_123", "utm_source": "facebook", "utm_medium": "cpc", "utm_campaign": "bosley_q1"},
    {"t-value": "pfizeraffiliate_0123", "storefront_id": "pfizer", "event_name": "rx_issued", "event_time": "2026-01-15T10:20:30Z",
     "order_id": "2025010100002222", "session_id": "sess_789", "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "pfizer_q1"},
    {"t-value": "bosleyaffiliate_0123", "storefront_id": "bosley", "event_name": "purchase_completed", "event_time": "2026-01-15T10:25:00Z",
     "order_id": "2025020100003333", "order_created_date": "2026-01-15T10:25:00Z", "order_ship_date": "2026-01-15T10:25:00Z",
     "order_revenue": 80.79, "session_id": "sess_456", "utm_source": "google", "utm_medium": "organic", "utm_campaign": "bosley_q1"}
  ],
  "error": "", "next_index": 1000, "next_url": "...", "previous_index": "", "previous_url": ""
}`

// ingestRefusals say what each status means for OMS, and what it does.
var ingestRefusals = map[int]string{
	http.StatusBadRequest: "The body cannot be read: " + listed(codeMalformedJSON, codeMalformedGzip, codeIncompleteBody, codeNotAnObject) +
		". Correct it; only an incomplete body may be sent again as it is.",
	http.StatusUnauthorized:   "The login is wrong: " + listed(codeUnauthorized) + ". Correct it, then send the batch again.",
	http.StatusForbidden:      "A browser sent the batch from another site's page: " + listed(codeCrossOrigin) + ". OMS never sees this.",
	http.StatusRequestTimeout: "The body did not arrive in time: " + listed(codeRequestTimeout) + ". Send the batch again, or smaller ones.",
	http.StatusRequestEntityTooLarge: "The batch is too large: " + listed(codeBodyTooLarge, codeTooManyItems) +
		". Send smaller ones.",
	http.StatusUnsupportedMediaType: "The headers of the body are wrong: " + listed(codeUnsupportedMediaType, codeUnsupportedEncoding) + ". Correct them.",
	http.StatusUnprocessableEntity: "Nothing was stored, because no item is acceptable (" + listed(codeNoAcceptableItem) + ", and errors says why, item by item) or the " +
		"body is not a batch (" + listed(codeMissingField, codeWrongType, codeRepeatedField) + "). Correct it; the same batch would be refused again.",
	http.StatusTooManyRequests:     "Too many logins have failed: " + listed(codeTooManyLogins) + ". Send the batch again after Retry-After.",
	http.StatusInternalServerError: "A fault of the relay: " + listed(codeInternal) + ". Send the batch again; if it stays, report the request_id.",
	http.StatusServiceUnavailable: "The relay cannot take the batch now: " + listed(codeDatabaseUnavailable, codeBusy) +
		". Send the whole batch again after Retry-After.",
}

// listed quotes codes for a description.
func listed(codes ...code) string {
	var all []string
	for _, c := range codes {
		all = append(all, "`"+string(c)+"`")
	}
	return strings.Join(all, ", ")
}

func describeIngestion(r *registry, op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Description: "A batch of events, as OMS sends it.",
		Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[EventBatch](r), Example: parsed(sampleBatch)}}}
	for status, text := range ingestRefusals {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text}
	}
	op.Responses["202"] = response("The batch was accepted; errors lists the items that were not.", schemaOf[BatchResult](r),
		BatchResult{Accepted: 3, Errors: []ItemError{}})
	op.Responses["422"] = &huma.Response{Description: ingestRefusals[http.StatusUnprocessableEntity],
		Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[BatchProblem](r),
			Example: refusedBatch().problem(exampleRequestID).body()}}}
}

// refusedBatch is the example of a batch without an acceptable item.
func refusedBatch() *failure {
	f := refuse(codeNoAcceptableItem)
	f.batch = &BatchResult{Rejected: 1, Errors: []ItemError{{Index: new(0), EventID: "2025020100003333", Field: "event_time", Code: codeInvalidTime,
		Message: codeInvalidTime.message()}}}
	return f
}

func schemaOf[T any](r *registry) *huma.Schema {
	return r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

func response(description string, schema *huma.Schema, example any) *huma.Response {
	return &huma.Response{Description: description,
		Content: map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}}}
}

// parsed is a JSON text of ours as the document holds it.
func parsed(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err) // at the start of every test
	}
	return v
}
