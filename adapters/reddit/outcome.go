package reddit

import (
	"encoding/json"
	"regexp"
	"strconv"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response, read loosely: v3's is not documented, v2 had its list of refused events at the top.
type response struct {
	Success json.RawMessage `json:"success"`
	Invalid json.RawMessage `json:"invalid_events"`
	Error   json.RawMessage `json:"error"`
	Data    json.RawMessage `json:"data"`
}

// Outcome classifies Reddit's response. A 2xx may name events that were not taken. No text distinguishes one 403 from another: v2 also said
// UNAUTHORIZED of a value of a wrong type.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	invalid := a.invalid()
	res.Fields = canonical.Kept(map[string]string{"reason": a.reason(), "invalid_events": count(invalid)})
	switch {
	case r.Status == 404 && res.Outcome == relay.Rejected, r.Status == 410 && res.Outcome == relay.Rejected: // no such pixel, or a retired version
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonNotFound
	case decided:
	case res.Outcome == relay.Accepted && (invalid > 0 || a.failed()):
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// invalid is the number of events that were not taken.
func (a response) invalid() int {
	var inner struct {
		Invalid json.RawMessage `json:"invalid_events"`
	}
	_ = json.Unmarshal(a.Data, &inner) // data in another form has no list
	var all int
	for _, raw := range []json.RawMessage{a.Invalid, inner.Invalid} {
		var list []json.RawMessage
		_ = json.Unmarshal(raw, &list)
		all += len(list)
	}
	return all
}

// failed reports whether a response says that the request failed.
func (a response) failed() bool {
	var object map[string]json.RawMessage
	return string(a.Success) == "false" || json.Unmarshal(a.Error, &object) == nil && len(object) > 0
}

// code is the form of a code; any other text may repeat data that was sent.
var code = regexp.MustCompile(`^([A-Z][A-Z_]{0,39}|[0-9]{1,6})$`)

func (a response) reason() string {
	var e struct {
		Reason json.RawMessage `json:"reason"`
		Code   json.RawMessage `json:"code"`
	}
	_ = json.Unmarshal(a.Error, &e) // an error in another form has no code
	for _, raw := range []json.RawMessage{e.Reason, e.Code} {
		if s := (relay.Payload{"v": raw}).Text("v"); code.MatchString(s) {
			return s
		}
	}
	return ""
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
