package googleads

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// dayQuota is the wait after the project's requests of a day are used up. Google does not say when the day ends: the four waits between
// the five attempts of the default policy are 24 hours.
const dayQuota = 6 * time.Hour

// response is the body of a response. Parts are read loosely: a success in an odd form is a success.
type response struct {
	RequestID json.RawMessage `json:"requestId"`
	Error     json.RawMessage `json:"error"`
}

// problem is Google's error model.
type problem struct {
	Status  json.RawMessage   `json:"status"`
	Details []json.RawMessage `json:"details"`
}

// detail is an ErrorInfo, a BadRequest, a RequestInfo, or another part that has none of these fields.
type detail struct {
	Reason   json.RawMessage `json:"reason"`
	Metadata struct {
		Quota json.RawMessage `json:"quota_limit"`
	} `json:"metadata"`
	Violations []struct {
		Field  json.RawMessage `json:"field"`
		Reason json.RawMessage `json:"reason"`
	} `json:"fieldViolations"`
	RequestID json.RawMessage `json:"requestId"`
}

// configuration are reasons that no event changes: the account, the conversion action or the caller's access.
var configuration = []string{
	"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND", "TERMS_AND_CONDITIONS_NOT_SIGNED", "NOT_ALLOWLISTED", "INVALID_CONVERSION_ACTION_ID",
	"INVALID_CONVERSION_ACTION_TYPE", "INVALID_DESTINATION", "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS",
	"DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED", "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
}

// Outcome classifies Google's response. A success means that Google has taken the event, and has the id of the request; it looks for the click
// afterwards, and no response reports that. The response to a request that is only validated has no id.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	found := a.findings()
	res.TraceID, res.Fields = canonical.TraceID(found.requestID), found.fields()
	switch {
	case r.Status == 429 && strings.Contains(found.quota, "PerDay"):
		res.RetryAfter = max(res.RetryAfter, dayQuota)
	case decided && r.Status != 404:
	case res.Reason == relay.ReasonNotFound: // no such account
		res.Outcome = relay.Unauthorized
	case res.Outcome == relay.Accepted && found.failed:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	case res.Outcome == relay.Accepted && text(a.RequestID) == "" && !r.Validates:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON // some other server's JSON
	case r.Status != 400:
	case slices.ContainsFunc(found.reasons, func(s string) bool { return slices.Contains(configuration, s) }):
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonVendorPermission
	case slices.Contains(found.reasons, "EVENT_TIME_INVALID"):
		res.Reason = relay.ReasonTooOld
	}
	return res
}

// findings are what a response holds of codes.
type findings struct {
	failed          bool
	status          string
	quota           string
	requestID       string
	reasons, places []string
}

func (a response) findings() findings {
	var p problem
	f := findings{requestID: text(a.RequestID), failed: len(a.Error) > 0 && string(a.Error) != "null"}
	_ = json.Unmarshal(a.Error, &p) // an error in another form has no codes
	f.status = shown(p.Status, code)
	if f.status != "" {
		f.reasons = append(f.reasons, f.status)
	}
	for _, raw := range p.Details[:min(len(p.Details), 10)] {
		var d detail
		_ = json.Unmarshal(raw, &d)
		if id := text(d.RequestID); id != "" {
			f.requestID = id
		}
		if name := shown(d.Metadata.Quota, quota); name != "" {
			f.quota = name
		}
		f.add(shown(d.Reason, code), "")
		for _, v := range d.Violations[:min(len(d.Violations), 5)] {
			f.add(shown(v.Reason, code), shown(v.Field, path))
		}
	}
	return f
}

func (f *findings) add(reason, place string) {
	if reason != "" && !slices.Contains(f.reasons, reason) {
		f.reasons = append(f.reasons, reason)
	}
	if place != "" && !slices.Contains(f.places, place) {
		f.places = append(f.places, place)
	}
}

// fields returns codes and the names of fields, never messages or values.
func (f findings) fields() map[string]string {
	return canonical.Kept(map[string]string{"reasons": strings.Join(f.reasons, " "), "fields": strings.Join(f.places, " "), "quota": f.quota})
}

var (
	// code is the form of a code; any other text may repeat data that was sent.
	code = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,99}$`)
	// quota is the form of a quota's name: IngestionMutateRequestsPerDayPerProject.
	quota = regexp.MustCompile(`^[A-Z][A-Za-z]{0,59}Per(Minute|Day)PerProject$`)
	// path is the form of a field's place: events[0].user_data.
	path = regexp.MustCompile(`^[a-z][A-Za-z_]{0,39}(\[[0-9]{1,4}\])?(\.[a-z][A-Za-z_]{0,39}(\[[0-9]{1,4}\])?){0,6}$`)
)

// shown is a text of one of these forms; "" for any other.
func shown(raw json.RawMessage, form *regexp.Regexp) string {
	if s := text(raw); form.MatchString(s) {
		return s
	}
	return ""
}

func text(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
