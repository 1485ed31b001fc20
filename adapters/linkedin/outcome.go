package linkedin

import (
	"encoding/json"
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// problem is the body of a refusal. A success has none.
type problem struct {
	Code        json.RawMessage `json:"code"`
	ServiceCode json.RawMessage `json:"serviceErrorCode"`
	Message     json.RawMessage `json:"message"`
}

// wrongMethod is what LinkedIn says of a rule that takes no events by API; the advertiser has to change the rule.
const wrongMethod = "method should be CONVERSIONS_API"

// Outcome classifies LinkedIn's response: 201 without a body is the success.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var p problem
	res, _ := canonical.ReadStatus(r, &p)
	res.Fields = p.fields()
	message := word(p.Message)
	switch {
	case r.TransportError != relay.NoTransportError, r.IsHTML(): // a proxy responded, or half of a response is missing
	case r.Status == 423: // locked: another change is under way
		res.Outcome, res.Reason = relay.Retry, relay.ReasonThrottled
	case r.Status == 501: // no such method: LinkedIn's connectors do not repeat it either
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonBadRequest
	case r.Status == 400 && strings.Contains(message, wrongMethod):
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonVendorPermission
	case r.Status == 404, r.Status == 426: // no such rule or address; a version that is no longer served
		res.Outcome = relay.Unauthorized
	}
	return res
}

var (
	// code is the form of a code; any other text may repeat data that was sent.
	code = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,59}$`)
	// number is the form of a service's own code.
	number = regexp.MustCompile(`^[0-9]{1,10}$`)
	// place is where a schema's error is: "Index: 0, ERROR :: /user/userIds :: field is required".
	place = regexp.MustCompile(`ERROR :: ((?:/[A-Za-z0-9]{1,30}){1,6}) ::`)
)

// fields returns codes and the path of a wrong field, never the vendor's texts.
func (p problem) fields() map[string]string {
	kept := map[string]string{}
	if s := word(p.Code); code.MatchString(s) {
		kept["code"] = s
	}
	if s := word(p.ServiceCode); number.MatchString(s) {
		kept["service_error_code"] = s
	}
	if m := place.FindStringSubmatch(word(p.Message)); m != nil {
		kept["field"] = m[1]
	}
	return canonical.Kept(kept)
}

// word is a text, or a number's digits.
func word(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
