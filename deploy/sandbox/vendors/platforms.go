package vendors

import (
	"encoding/json"
	"net/http"
	"strings"

	"relay/deploy/sandbox"
)

// meta is the Conversions API: POST /{version}/{pixel}/events with a bearer token.
func meta(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(status, code, subcode int, message string) sandbox.Answer {
		return answer(status, object{"error": object{"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "ASandbox"}})
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return refuse(401, 190, 0, "token missing")
	}
	var b struct {
		Data []struct {
			Name   string      `json:"event_name"`
			Time   json.Number `json:"event_time"`
			ID     string      `json:"event_id"`
			Source string      `json:"action_source"`
			User   object      `json:"user_data"`
			Custom object      `json:"custom_data"`
		} `json:"data"`
	}
	if read(body, &b, false) != nil || len(b.Data) != 1 {
		return refuse(400, 100, 2804001, "not one event")
	}
	e := b.Data[0]
	_, number := e.Custom["value"].(json.Number)
	switch {
	case e.Name == "" || e.ID == "" || e.Source == "":
		return refuse(400, 100, 2804007, "a required field is missing")
	case !recent(e.Time):
		return refuse(400, 100, 2804003, "too old, or no seconds")
	case len(e.User) == 0 || !hashes(e.User, "em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "db"):
		return refuse(400, 100, 2804050, "user_data is missing or not hashed")
	case e.Name == "Purchase" && (!number || e.Custom["currency"] == nil):
		return refuse(400, 100, 2804010, "value or currency missing")
	}
	return answer(200, object{"events_received": 1, "messages": []any{}, "fbtrace_id": "ASandbox"})
}

// ga4 is the Measurement Protocol, which accepts anything.
func ga4(*http.Request, []byte) sandbox.Answer { return sandbox.Answer{Status: 204} }

// tiktok is the Events API, which reports errors in the field code, under status 200.
func tiktok(r *http.Request, body []byte) sandbox.Answer {
	say := func(code int, message string) sandbox.Answer {
		return answer(200, object{"code": code, "message": message, "request_id": "20261123SANDBOX", "data": object{}})
	}
	if t := r.Header.Get("Access-Token"); t == "" || strings.HasPrefix(t, "Bearer") {
		return say(40105, "access token is missing or wrong")
	}
	var b struct {
		Source   string `json:"event_source"`
		SourceID string `json:"event_source_id"`
		Data     []struct {
			Event string      `json:"event"`
			Time  json.Number `json:"event_time"`
			ID    any         `json:"event_id"`
			User  object      `json:"user"`
			Page  object      `json:"page"`
		} `json:"data"`
	}
	if read(body, &b, false) != nil || len(b.Data) != 1 || b.SourceID == "" {
		return say(40002, "not one event of one pixel")
	}
	e := b.Data[0]
	if _, text := e.ID.(string); !text {
		return say(40002, "event_id: not a string")
	}
	switch {
	case e.Event == "" || !recent(e.Time):
		return say(40002, "event or event_time")
	case b.Source == "web" && e.Page["url"] == nil:
		return say(40002, "page.url is missing")
	case len(e.User) == 0 || !hashes(e.User, "email", "phone", "external_id", "first_name", "last_name", "zip_code"):
		return say(40002, "user is missing or not hashed")
	}
	return say(0, "OK")
}

// snapchat is the Conversions API v3, which reports the result in the field status.
func snapchat(r *http.Request, body []byte) sandbox.Answer {
	invalid := func(status int, reason string) sandbox.Answer {
		return answer(status, object{"status": "INVALID", "reason": reason})
	}
	if r.URL.Query().Get("access_token") == "" {
		return invalid(401, "Unauthorized resources")
	}
	var b struct {
		Data []struct {
			Name   string      `json:"event_name"`
			Time   json.Number `json:"event_time"`
			Source string      `json:"action_source"`
			User   object      `json:"user_data"`
			Custom object      `json:"custom_data"`
		} `json:"data"`
	}
	if read(body, &b, false) != nil || len(b.Data) != 1 {
		return invalid(400, "not one event")
	}
	e := b.Data[0]
	device := e.User["client_ip_address"] != nil && e.User["client_user_agent"] != nil
	switch {
	case e.Name != strings.ToUpper(e.Name) || !recent(e.Time) || e.Source == "":
		return invalid(400, "event_name, event_time or action_source")
	case e.User["em"] == nil && e.User["ph"] == nil && !device:
		return invalid(400, "nothing to match by")
	case !hashes(e.User, "em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "external_id"):
		return invalid(400, "user_data is not hashed")
	case e.Name == "PURCHASE" && (e.Custom["value"] == nil || e.Custom["currency"] == nil):
		return invalid(400, "value or currency missing")
	}
	return answer(200, object{"status": "VALID"})
}

// pinterest is the Conversions API v5, whose schema is closed and whose amounts are strings.
func pinterest(r *http.Request, body []byte) sandbox.Answer {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return answer(401, object{"code": 2, "message": "Authentication failed."})
	}
	refuse := func(message string) sandbox.Answer { return answer(400, object{"code": 4196, "message": message}) }
	var b struct {
		Data []pin `json:"data"`
	}
	if err := read(body, &b, true); err != nil {
		return refuse(err.Error())
	}
	if len(b.Data) != 1 {
		return refuse("not one event")
	}
	e := b.Data[0]
	device := e.User["client_ip_address"] != nil && e.User["client_user_agent"] != nil
	switch {
	case e.Name == "" || e.ID == "" || e.Source != strings.ToLower(e.Source) || !recent(e.Time):
		return refuse("event_name, event_id, action_source or event_time")
	case e.User["em"] == nil && !device:
		return refuse("user_data: em, or client_ip_address and client_user_agent")
	case !hashes(e.User, "em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "db", "external_id"):
		return refuse("user_data is not hashed")
	}
	return answer(200, object{"num_events_received": 1, "num_events_processed": 1,
		"events": []object{{"status": "processed", "error_message": "", "warning_message": ""}}})
}

// pin is the closed schema of one event, as far as a web shop uses it.
type pin struct {
	Name    string      `json:"event_name"`
	Source  string      `json:"action_source"`
	Time    json.Number `json:"event_time"`
	ID      string      `json:"event_id"`
	URL     string      `json:"event_source_url"`
	OptOut  bool        `json:"opt_out"`
	Partner string      `json:"partner_name"`
	Lang    string      `json:"language"`
	User    object      `json:"user_data"`
	Custom  struct {
		Currency string      `json:"currency"`
		Value    string      `json:"value"`
		IDs      []string    `json:"content_ids"`
		Contents []pinItem   `json:"contents"`
		Count    json.Number `json:"num_items"`
		Order    string      `json:"order_id"`
		Search   string      `json:"search_string"`
		OptOut   string      `json:"opt_out_type"`
		Name     string      `json:"content_name"`
		Category string      `json:"content_category"`
		Brand    string      `json:"content_brand"`
		LTV      string      `json:"predicted_ltv"`
	} `json:"custom_data"`
}

type pinItem struct {
	ID       string      `json:"id"`
	Name     string      `json:"item_name"`
	Category string      `json:"item_category"`
	Brand    string      `json:"item_brand"`
	Price    string      `json:"item_price"`
	Quantity json.Number `json:"quantity"`
}
