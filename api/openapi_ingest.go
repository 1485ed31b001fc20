package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// The types of this file are the document's words for what ingestion and health take and give. Nothing decodes into them.

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
	EventName     string   `json:"event_name" maxLength:"50" example:"purchase_completed" doc:"The type of the event; taken in lower case."`
	EventTime     string   `json:"event_time" example:"2026-01-15T10:25:00Z" doc:"When it happened, in RFC 3339. Without an offset it is taken as UTC."`
	OrderID       string   `json:"order_id" maxLength:"100" example:"2025020100003333" doc:"The order. With event_name it makes the event unique, unless event_id is given."`
	EventID       string   `json:"event_id,omitempty" maxLength:"100" example:"2025020100003333-1" doc:"The event's own id, where one order has several events of one type: its refunds, renewals and cancellations need one each. The order's id where it is missing. No two storefronts may use one for the same event_name."`
	OrderRevenue  any      `json:"order_revenue,omitempty" doc:"The value of the order, as a number or a string that spells one. All other fields pass through, too: utm_source, session_id, email, ..."`
	OrderCurrency string   `json:"currency,omitempty" example:"USD" doc:"ISO 4217; the storefront's own where it is missing."`
}

// BatchResult is what became of a batch.
type BatchResult struct {
	Accepted        int         `json:"accepted" example:"3" doc:"Events that were stored."`
	Duplicates      int         `json:"duplicates" example:"0" doc:"Events that had been stored before, with the same content."`
	Rejected        int         `json:"rejected" example:"0" doc:"Items that were not stored."`
	Errors          []ItemError `json:"errors" doc:"Why items were rejected; 1000 at most."`
	ErrorsOmitted   int         `json:"errors_omitted,omitempty" example:"0" doc:"How many more errors there are."`
	Warnings        []ItemError `json:"warnings,omitempty" doc:"What was odd and taken all the same; 1000 at most."`
	WarningsOmitted int         `json:"warnings_omitted,omitempty" example:"0" doc:"How many more warnings there are."`
}

// ItemError is one error or warning.
type ItemError struct {
	Index   int    `json:"index,omitempty" example:"0" doc:"The item's place in data, from 0; missing where the batch itself is meant."`
	EventID string `json:"event_id" example:"2025020100003333" doc:"The item's id; may be empty."`
	Field   string `json:"field" example:"event_time" doc:"The field; empty where the item as a whole is meant."`
	Code    code   `json:"code" example:"invalid_time" doc:"What is wrong, for programs: invalid_item, invalid_json, invalid_utf8, missing_field, wrong_type, invalid_character, field_too_long, invalid_time, not_a_number, payload_too_large, unknown_storefront, conflict (the id is taken by another event: send this one with an event_id of its own); of warnings time_without_offset, count_mismatch."`
	Message string `json:"message" example:"the time is not RFC 3339, such as 2026-01-15T10:15:00Z" doc:"What is wrong, for people."`
}

// BatchProblem is the problem document of a batch without an acceptable item.
type BatchProblem struct {
	Type            string      `json:"type" example:"about:blank" doc:"Always about:blank."`
	Title           string      `json:"title" example:"Unprocessable Entity" doc:"The HTTP status in words."`
	Status          int         `json:"status" example:"422" doc:"The HTTP status."`
	Detail          string      `json:"detail" example:"no item of the batch is acceptable; errors says what is wrong with each" doc:"What is wrong, for people."`
	Code            code        `json:"code" example:"no_acceptable_item" doc:"What is wrong, for programs."`
	RequestID       string      `json:"request_id" example:"QH7VXQ2LTRZKC4" doc:"Finds the request in the relay's log."`
	Field           string      `json:"field,omitempty" example:"data" doc:"The field of the envelope that is to blame, where one is."`
	Accepted        int         `json:"accepted,omitempty" example:"0" doc:"Always 0."`
	Duplicates      int         `json:"duplicates,omitempty" example:"0" doc:"Always 0."`
	Rejected        int         `json:"rejected,omitempty" example:"1" doc:"Items that were not stored: all."`
	Errors          []ItemError `json:"errors,omitempty" doc:"Why; 1000 at most."`
	ErrorsOmitted   int         `json:"errors_omitted,omitempty" example:"0" doc:"How many more errors there are."`
	Warnings        []ItemError `json:"warnings,omitempty" doc:"What was odd; 1000 at most."`
	WarningsOmitted int         `json:"warnings_omitted,omitempty" example:"0" doc:"How many more warnings there are."`
}

// Health is the answer of GET /health.
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

func (b *book) declareIngestion() {
	op := huma.Operation{
		OperationID: "post-events", Method: http.MethodPost, Path: "/v1/events", Tags: []string{tagIngestion},
		Summary: "Take events in",
		Description: "Stores the good items of a batch in one transaction, reports the bad ones, and starts the deliveries. A batch may be sent " +
			"again at any time: what is stored counts as duplicates. The body may be packed: Content-Encoding: gzip.",
		RequestBody: &huma.RequestBody{Required: true, Description: "A batch of events, as OMS writes it.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[EventBatch](b), Example: parsed(sampleBatch)}}},
		Responses: map[string]*huma.Response{
			"202": answer("The batch was taken; errors says which items were not.", schemaOf[BatchResult](b),
				BatchResult{Accepted: 3, Errors: []ItemError{}}),
			"422": {Description: "No item is acceptable, or the batch is none; nothing was stored.",
				Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[BatchProblem](b)}}},
		},
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable} {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[Problem](b)}}}
	}
	b.declare(oms, op)
}

func schemaOf[T any](b *book) *huma.Schema {
	return b.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

func answer(description string, schema *huma.Schema, example any) *huma.Response {
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
