package tiktok

import (
	"encoding/json"
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response. TikTok nearly always sends HTTP status 200; the code decides.
type response struct {
	Code      json.Number `json:"code"`
	Message   string      `json:"message"`
	RequestID string      `json:"request_id"`
}

// Outcome classifies the response.
//
// Codes: rudder-transformer @c98d160c, src/v0/destinations/tiktok_ads/networkHandler.js; github.com/stape-io/tiktok-tag
// issue 10; https://business-api.tiktok.com/portal/docs?id=1737172488964097 (return codes). 40101 to 40103 and those from
// 40106 on are unconfirmed members of the family "authentication", 20001 has an unconfirmed body.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	res.TraceID = canonical.TraceID(a.RequestID)
	res.Fields = a.fields()
	if decided {
		return res
	}
	code, err := a.Code.Int64()
	switch {
	case err == nil:
		a.classify(code, &res)
	case res.Outcome == relay.Accepted:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON // some other server's JSON
	}
	return res
}

var (
	// wrongField is where the message of a 40002 says which of our keys it means; no other word of it is kept.
	wrongField = regexp.MustCompile(`\bBatch\.[0-9]+\.((properties\.contents\.[0-9]{1,4}|user|page|properties)\.(email|phone|external_id|` +
		`first_name|last_name|zip_code|city|state|country|ttclid|ttp|ip|user_agent|locale|url|referrer|value|currency|content_type|` +
		`content_ids|contents|content_id|content_name|content_category|brand|price|quantity|order_id|shop_id|query|description|` +
		`num_items|status)|event_id|event_time|event|limited_data_use)\b`)
	timedOut = regexp.MustCompile(`internal.*(time-?out|timed out|time out)`)
)

// fields are the code and, of the message, the path of the field that it complains about.
func (a response) fields() map[string]string {
	f := map[string]string{"code": string(a.Code)}
	if m := wrongField.FindStringSubmatch(a.Message); m != nil {
		f["field"] = m[1]
	}
	return canonical.Kept(f)
}

// classify sets outcome and reason by the code. An unlisted one with a success, or with a status that says nothing more,
// is a rejection.
func (a response) classify(code int64, res *relay.Result) {
	switch {
	case code == 0 && res.Outcome == relay.Accepted:
		res.Outcome, res.Reason = relay.Accepted, ""
	case code == 20001: // one event a request: a partial failure is a whole one
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonPartial
	case code == 40001:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonVendorPermission
	case code == 40007:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonNotFound
	case code == 40100:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonThrottled
	case code > 40100 && code < 40200:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case code >= 50000 && code <= 59999, timedOut.MatchString(strings.ToLower(a.Message)):
		res.Outcome, res.Reason = relay.Retry, relay.ReasonServerError
	case res.Outcome == relay.Unauthorized && code != 40002:
	default:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
}
