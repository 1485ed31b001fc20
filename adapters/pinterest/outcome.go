package pinterest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// rampedDown is the wait after Pinterest has switched the endpoint off (503, code 4197).
const rampedDown = 15 * time.Minute

// Pinterest's error codes that mean something of their own.
//
// Source: github.com/pinterest/api-description @c05b1897, v5/openapi.json, events/create
const (
	codeAuthentication = "2"
	codeTooMany        = "8"
	codePermission     = "29"
	codeNotAll         = "953" // not all events were processed; details say which
	codeParameters     = "4196"
	codeRampedDown     = "4197"
)

// response is the body of a response: counts and events for a success, code and details for a failure.
type response struct {
	Received  json.Number     `json:"num_events_received"`
	Processed json.Number     `json:"num_events_processed"`
	Events    []result        `json:"events"`
	Code      json.Number     `json:"code"` // a number, or its digits
	Details   json.RawMessage `json:"details"`
}

// result is the result of one event.
type result struct {
	Status string `json:"status"` // processed or failed
	Error  string `json:"error_message"`
}

// Outcome classifies Pinterest's response: by status and code, then by the result of our one event, which may have failed inside
// a 200. The id of the request is in a header.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	res.TraceID = canonical.TraceID(r.Get("X-Pinterest-Rid"))
	res.Fields = a.fields()
	switch {
	case decided:
	case a.Code != "" && a.Code != codeNotAll:
		a.classify(&res)
	case res.Outcome == relay.Accepted, r.Status == 422:
		res.Outcome, res.Reason = a.ofEvent(r.Status)
	}
	if res.Reason == relay.ReasonNotFound { // the ad account: no event will arrive until the credential is fixed
		res.Outcome = relay.Unauthorized
	}
	if a.Code == codeRampedDown && res.Outcome == relay.Retry {
		res.RetryAfter = max(res.RetryAfter, rampedDown)
	}
	return res
}

// classify sets outcome and reason by Pinterest's codes; an unlisted one leaves them to the status, and is never a success.
func (a response) classify(res *relay.Result) {
	switch {
	case a.Code == codeTooMany:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonThrottled
	case a.Code == codeRampedDown:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonServerError
	case a.Code == codeAuthentication:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case a.Code == codePermission:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonVendorPermission
	case a.Code == codeParameters, res.Outcome == relay.Accepted:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
}

// ofEvent returns the result of our one event from the list of a 200 or the details of a 422. If no list names it, the counts
// show whether all events were accepted.
func (a response) ofEvent(status int) (relay.Outcome, relay.Reason) {
	results := a.results()
	failed := slices.IndexFunc(results, func(e result) bool { return !strings.EqualFold(e.Status, "processed") })
	switch {
	case failed >= 0 && strings.Contains(strings.ToLower(results[failed].Error), "in the past"):
		return relay.Rejected, relay.ReasonTooOld
	case failed >= 0:
		return relay.Rejected, relay.ReasonVendorRejected
	case len(results) > 0:
		return relay.Accepted, ""
	case status >= 300:
		return relay.Rejected, relay.ReasonVendorRejected
	case a.Processed == "": // some other server's JSON
		return relay.Retry, relay.ReasonNotJSON
	case a.Processed == a.Received && a.Processed != "0":
		return relay.Accepted, ""
	}
	return relay.Rejected, relay.ReasonPartial
}

// results returns the events of the response. Details are the list itself, or an object that holds it.
func (a response) results() []result {
	if len(a.Events) > 0 {
		return a.Events
	}
	var inner struct {
		Events []result `json:"events"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(a.Details), []byte("[")) {
		_ = json.Unmarshal(a.Details, &inner.Events) // in another form they name no event
	} else {
		_ = json.Unmarshal(a.Details, &inner)
	}
	return inner.Events
}

// fields returns the response's numbers, never its messages.
func (a response) fields() map[string]string {
	return canonical.Kept(map[string]string{
		"code": string(a.Code), "num_events_received": string(a.Received), "num_events_processed": string(a.Processed),
	})
}
