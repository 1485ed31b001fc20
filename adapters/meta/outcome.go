package meta

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response, of a success or a failure.
type response struct {
	EventsReceived json.Number     `json:"events_received"`
	Messages       json.RawMessage `json:"messages"`
	TraceID        string          `json:"fbtrace_id"`
	Error          *failure        `json:"error"`
}

type failure struct {
	Type        string      `json:"type"`
	Code        json.Number `json:"code"`
	Subcode     json.Number `json:"error_subcode"`
	IsTransient bool        `json:"is_transient"`
	TraceID     string      `json:"fbtrace_id"`
}

// blockedFor is the wait after code 368: a block for abuse, which further requests prolong. Meta does not say how long it lasts: the four
// waits between the five attempts of the default policy are a day, for few requests and well within the seven days of an event.
const blockedFor = 6 * time.Hour

// Outcome classifies the response: by the status, and by the code and subcode in the body, which override it. A throttle often comes as
// HTTP 400.
//
// Codes: rudder-transformer @c98d160c, src/v0/util/facebookUtils/networkHandler.js;
// https://developers.facebook.com/docs/graph-api/guides/error-handling. Codes 32, 102, 10, 506, 613 and those from 80004 on
// come from general Graph pages and are unconfirmed for this edge.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	res.Fields = a.fields()
	res.TraceID = canonical.TraceID(a.TraceID)
	if a.Error != nil {
		res.TraceID = canonical.TraceID(a.Error.TraceID)
	}
	switch {
	case decided:
	case a.Error != nil:
		a.Error.classify(&res)
	case res.Outcome == relay.Accepted && a.EventsReceived == "":
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON // some other server's JSON
	case res.Outcome == relay.Accepted && a.EventsReceived == "0":
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	if res.Reason == relay.ReasonThrottled {
		res.RetryAfter = max(res.RetryAfter, regainAccess(r))
	}
	return res
}

var typeName = regexp.MustCompile(`^[A-Za-z]{1,40}$`)

// fields returns the response's numbers and its type, never its messages.
func (a response) fields() map[string]string {
	f := map[string]string{"events_received": string(a.EventsReceived)}
	var messages []json.RawMessage
	if json.Unmarshal(a.Messages, &messages) == nil && len(messages) > 0 {
		f["messages"] = strconv.Itoa(len(messages))
	}
	if e := a.Error; e != nil {
		f["code"], f["subcode"] = string(e.Code), string(e.Subcode)
		if typeName.MatchString(e.Type) {
			f["type"] = e.Type
		}
	}
	return canonical.Kept(f)
}

// classify sets outcome and reason by the vendor's codes; an unlisted code leaves them to the status, and is never a
// success.
func (e failure) classify(res *relay.Result) {
	code, err := e.Code.Int64()
	if err != nil {
		code = -1
	}
	switch {
	case e.IsTransient, code == 1, code == 2, code == 5000, code == 21009:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonServerError
	case code == 4, code == 17, code == 32, code == 341, code == 613, code >= 80000 && code <= 80014:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonThrottled
	case code == 368:
		res.Outcome, res.Reason, res.RetryAfter = relay.Retry, relay.ReasonThrottled, max(res.RetryAfter, blockedFor)
	case code == 102, code == 190:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case code == 3, code == 10, code >= 200 && code <= 299:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonVendorPermission
	case code == 100 && e.Subcode == "33": // the dataset does not exist for this token
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonNotFound
	case code == 100 && e.Subcode == "2804003":
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonTooOld
	case code == 100 && (e.Subcode == "2804010" || e.Subcode == "2804050"): // no currency; nothing to match by
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonMissingField
	case res.Outcome == relay.Unauthorized && code != 100 && code != 105 && code != 506:
	default:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
}

// regainAccess is the longest wait that the usage header names, in minutes there.
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers-2
func regainAccess(r relay.Response) time.Duration {
	var usage map[string][]struct {
		Minutes float64 `json:"estimated_time_to_regain_access"`
	}
	if json.Unmarshal([]byte(r.Get("X-Business-Use-Case-Usage")), &usage) != nil {
		return 0
	}
	var longest float64
	for _, entries := range usage {
		for _, e := range entries {
			longest = max(longest, e.Minutes)
		}
	}
	return time.Duration(min(longest, 7*24*60) * float64(time.Minute))
}
