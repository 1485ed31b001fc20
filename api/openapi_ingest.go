package api

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// The types of this file describe the bodies of ingestion and health, for the document. Nothing decodes into them.

// EventBatch is the body of POST /v1/events.
type EventBatch struct {
	_     struct{}    `json:"-" additionalProperties:"true"`
	Count int         `json:"count,omitempty" example:"3" doc:"How many items there are. A wrong number is a warning."`
	Data  []EventItem `json:"data" maxItems:"10000" doc:"The events."`
}

// EventItem is one event of a batch.
type EventItem struct {
	_             struct{} `json:"-" additionalProperties:"true"`
	TValue        string   `json:"t-value" example:"bosleyaffiliate_0123" doc:"The affiliate; may be empty."`
	StorefrontID  string   `json:"storefront_id" maxLength:"50" example:"bosley" doc:"The storefront's code."`
	EventName     string   `json:"event_name" maxLength:"50" example:"purchase_completed" doc:"The type of the event; converted to lower case."`
	EventTime     string   `json:"event_time" example:"2026-01-15T10:25:00Z" doc:"When it happened, in RFC 3339. Without an offset, UTC is assumed."`
	OrderID       string   `json:"order_id" maxLength:"100" example:"2025020100003333" doc:"The order. With event_name it makes the event unique, unless event_id is present."`
	EventID       string   `json:"event_id,omitempty" maxLength:"100" example:"2025020100003333-1" doc:"The event's own id, where one order has several events of one type: its refunds, renewals and cancellations need one each. The order's id if missing. No two storefronts may use one for the same event_name."`
	OrderRevenue  any      `json:"order_revenue,omitempty" doc:"The value of the order, as a number or a string that spells one. All other fields pass through, too: utm_source, session_id, email, ..."`
	OrderCurrency string   `json:"currency,omitempty" example:"USD" doc:"ISO 4217; the storefront's own if missing."`
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

func describeIngestion(r *registry, op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Description: "A batch of events, as OMS sends it.",
		Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[EventBatch](r), Example: parsed(sampleBatch)}}}
	op.Responses["202"] = response("The batch was accepted; errors lists the items that were not.", schemaOf[BatchResult](r),
		BatchResult{Accepted: 3, Errors: []ItemError{}})
	op.Responses["422"] = &huma.Response{Description: "No item is acceptable, or the body is not a batch; nothing was stored.",
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
