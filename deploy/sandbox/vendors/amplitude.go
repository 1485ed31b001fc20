package vendors

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

// amplitudeEvent has the keys of HTTP V2 that a web shop uses.
type amplitudeEvent struct {
	UserID     string                     `json:"user_id"`
	DeviceID   string                     `json:"device_id"`
	Type       string                     `json:"event_type"`
	Time       json.RawMessage            `json:"time"`
	InsertID   string                     `json:"insert_id"`
	Revenue    *json.RawMessage           `json:"revenue"`
	IP         string                     `json:"ip"`
	Properties map[string]json.RawMessage `json:"event_properties"`
}

// amplitude is HTTP V2: POST /2/httpapi with the key in the body. A wrong key is a 400; its exact text is not confirmed.
func amplitude(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(text string, more object) sandbox.Answer {
		more["code"], more["error"] = 400, text
		return answer(http.StatusBadRequest, more)
	}
	var b struct {
		APIKey  string           `json:"api_key"`
		Events  []amplitudeEvent `json:"events"`
		Options struct {
			Shortest int `json:"min_id_length"`
		} `json:"options"`
	}
	err := read(body, &b, true)
	switch {
	case !strings.HasSuffix(r.URL.Path, "/2/httpapi"):
		return answer(http.StatusNotFound, object{"code": 404})
	case len(body) > 1<<20:
		return answer(http.StatusRequestEntityTooLarge, object{"code": 413, "error": "Payload too large"})
	case err != nil:
		return refuse("Invalid JSON request body", object{})
	case b.APIKey == "":
		return refuse("Request missing required field", object{"missing_field": "api_key"})
	case revoked(b.APIKey):
		return refuse("Invalid API key: "+b.APIKey, object{})
	case len(b.Events) != 1:
		return refuse("Request missing required field", object{"missing_field": "events"})
	}
	shortest := b.Options.Shortest
	if shortest == 0 {
		shortest = 5
	}
	if missing := b.Events[0].missing(); missing != "" {
		return refuse("Request missing required field", object{"events_with_missing_fields": object{missing: []int{0}}})
	}
	if invalid := b.Events[0].invalid(shortest); invalid != "" {
		return refuse("Invalid field values on some events", object{"events_with_invalid_fields": object{invalid: []int{0}}})
	}
	return answer(http.StatusOK, object{"code": 200, "events_ingested": 1, "payload_size_bytes": len(body), "server_upload_time": time.Now().UnixMilli()})
}

func (e amplitudeEvent) missing() string {
	switch {
	case e.Type == "":
		return "event_type"
	case e.UserID == "" && e.DeviceID == "":
		return "user_id"
	case e.InsertID == "":
		return "insert_id" // Amplitude would take it, and count a second copy
	}
	return ""
}

// invalid is the field with a wrong value. Amplitude drops events with a short id; a drop would not show here.
func (e amplitudeEvent) invalid(shortest int) string {
	millis, err := json.Number(e.Time).Int64()
	switch {
	case e.UserID != "" && len([]rune(e.UserID)) < shortest:
		return "user_id"
	case e.DeviceID != "" && len([]rune(e.DeviceID)) < shortest:
		return "device_id"
	case err != nil || millis < 1e11: // seconds
		return "time"
	case e.Revenue != nil && !isNumber(*e.Revenue):
		return "revenue"
	}
	return ""
}
