package vendors

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

var (
	revision = regexp.MustCompile(`^20[0-9]{2}-[0-9]{2}-[0-9]{2}$`)
	e164     = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	iso4217  = regexp.MustCompile(`^[A-Z]{3}$`)
)

// jsonAPI is JSON:API's envelope.
type jsonAPI[A any] struct {
	Data struct {
		Type       string `json:"type"`
		Attributes A      `json:"attributes"`
	} `json:"data"`
}

// klaviyoEvent has the attributes of Create Event in Klaviyo's OpenAPI document, revision 2026-07-15.
type klaviyoEvent struct {
	Properties    map[string]json.RawMessage          `json:"properties"`
	Time          string                              `json:"time"`
	Value         *json.RawMessage                    `json:"value"`
	ValueCurrency string                              `json:"value_currency"`
	UniqueID      string                              `json:"unique_id"`
	Backfill      bool                                `json:"backfill"`
	Metric        jsonAPI[struct{ Name string }]      `json:"metric"`
	Profile       jsonAPI[map[string]json.RawMessage] `json:"profile"`
}

// klaviyo is Create Event: POST /events with a private key and a dated revision. Its success has no body.
func klaviyo(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(status int, code, pointer string) sandbox.Answer {
		return answer(status, object{"errors": []object{{"id": "sandbox", "status": status, "code": code, "title": "Refused.", "detail": "refused",
			"source": object{"pointer": pointer}}}})
	}
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Klaviyo-API-Key ")
	switch {
	case !ok || !strings.HasPrefix(key, "pk_"):
		return refuse(http.StatusUnauthorized, "not_authenticated", "/data/")
	case revoked(key):
		return refuse(http.StatusUnauthorized, "authentication_failed", "/data/")
	case !strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/klaviyo/events"):
		return refuse(http.StatusNotFound, "not_found", "/data/")
	case !revision.MatchString(r.Header.Get("revision")):
		return refuse(http.StatusBadRequest, "invalid", "/data/")
	}
	var b jsonAPI[klaviyoEvent]
	if err := read(body, &b, true); err != nil || b.Data.Type != "event" {
		return refuse(http.StatusBadRequest, "invalid", "/data")
	}
	if pointer := wrongKlaviyo(b.Data.Attributes); pointer != "" {
		return refuse(http.StatusBadRequest, "invalid", "/data/attributes/"+pointer)
	}
	return sandbox.Answer{Status: http.StatusAccepted}
}

// wrongKlaviyo is the attribute for which an event is refused.
func wrongKlaviyo(e klaviyoEvent) string {
	at, err := time.Parse(time.RFC3339, e.Time)
	name := e.Metric.Data.Attributes.Name
	switch {
	case e.Properties == nil || len(e.Properties) > 400:
		return "properties"
	case e.Time != "" && (err != nil || at.Year() < 1990 || at.After(time.Now().AddDate(1, 0, 0))):
		return "time"
	case e.Value != nil && !isNumber(*e.Value):
		return "value"
	case e.ValueCurrency != "" && !iso4217.MatchString(e.ValueCurrency):
		return "value_currency"
	case e.Metric.Data.Type != "metric" || name == "" || len(name) >= 128:
		return "metric"
	case e.Profile.Data.Type != "profile" || wrongProfile(e.Profile.Data.Attributes):
		return "profile"
	}
	return ""
}

// wrongProfile reports whether a profile has no identifier, or one of a wrong form.
func wrongProfile(profile map[string]json.RawMessage) bool {
	found := false
	for name, raw := range profile {
		var s string
		if json.Unmarshal(raw, &s) != nil || s == "" {
			return true
		}
		switch name {
		case "id", "external_id", "anonymous_id", "_kx":
		case "email":
			if !strings.Contains(s, "@") {
				return true
			}
		case "phone_number":
			if !e164.MatchString(s) {
				return true
			}
		default:
			return true
		}
		found = true
	}
	return !found
}

// isNumber reports whether a value is a number as JSON has them.
func isNumber(raw json.RawMessage) bool {
	var n json.Number
	return len(raw) > 0 && raw[0] != '"' && json.Unmarshal(raw, &n) == nil && n != ""
}

// revoked reports whether a key is one that the simulated platforms refuse.
func revoked(key string) bool { return strings.Contains(key, "revoked") }
