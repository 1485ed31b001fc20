package googleads_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	googleads "relay/adapters/google_ads"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

// refused is a refusal in Google's model, with the reason of an ErrorInfo.
func refused(status int, name, reason string) relay.Response {
	return answered(status, fmt.Sprintf(`{"error":{"code":%d,"message":"about jane@example.com","status":%q,"details":[
		{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":%q,"domain":"datamanager.googleapis.com"}]}}`, status, name, reason))
}

// violated is a refusal of one field.
func violated(reason string) relay.Response {
	return answered(400, fmt.Sprintf(`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"about jane@example.com","details":[
		{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"events[0].event_timestamp","description":"jane@example.com","reason":%q}]},
		{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"request-1"}]}}`, reason))
}

func throttled(per string) relay.Response {
	return answered(429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"reason":"RATE_LIMIT_EXCEEDED","metadata":{
		"quota_limit":"IngestionMutateRequestsPer`+per+`PerProject"}}]}}`)
}

// responses are the known ones of the vendor, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"taken", answered(200, `{"requestId":"abc"}`), relay.Accepted, ""},
	{"taken, with a warning", answered(200, `{"requestId":"abc","fieldWarnings":[{"field":"x"}]}`), relay.Accepted, ""},
	{"only validated", relay.Response{Sent: true, Repeatable: true, Validates: true, Status: 200, Body: []byte(`{}`)}, relay.Accepted, ""},
	{"JSON of another server", answered(200, `{"status":"ok"}`), relay.Retry, relay.ReasonNotJSON},
	{"an empty id", answered(200, `{"requestId":""}`), relay.Retry, relay.ReasonNotJSON},
	{"an error in 200", answered(200, `{"error":{"status":"INVALID_ARGUMENT"}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
	{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"a field", violated("INVALID_CURRENCY_CODE"), relay.Rejected, relay.ReasonBadRequest},
	{"no identifiers", violated("NO_IDENTIFIERS_PROVIDED"), relay.Rejected, relay.ReasonBadRequest},
	{"the time", violated("EVENT_TIME_INVALID"), relay.Rejected, relay.ReasonTooOld},
	{"the conversion action", violated("INVALID_CONVERSION_ACTION_ID"), relay.Unauthorized, relay.ReasonVendorPermission},
	{"its type", violated("INVALID_CONVERSION_ACTION_TYPE"), relay.Unauthorized, relay.ReasonVendorPermission},
	{"the destination", refused(400, "INVALID_ARGUMENT", "INVALID_DESTINATION"), relay.Unauthorized, relay.ReasonVendorPermission},
	{"terms", refused(400, "FAILED_PRECONDITION", "TERMS_AND_CONDITIONS_NOT_SIGNED"), relay.Unauthorized, relay.ReasonVendorPermission},
	{"a health account", refused(400, "FAILED_PRECONDITION", "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS"), relay.Unauthorized, relay.ReasonVendorPermission},
	{"400 without a body", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"400, odd form", answered(400, `{"error":"invalid_grant"}`), relay.Rejected, relay.ReasonBadRequest},
	{"401", refused(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), relay.Unauthorized, relay.ReasonUnauthorized},
	{"401 of a token from before", relay.Response{Sent: true, Repeatable: true, Status: 401, CachedToken: true}, relay.Retry, relay.ReasonTokenExpired},
	{"no token", relay.Response{Repeatable: true, TransportError: relay.TransportToken}, relay.Retry, relay.ReasonTokenUnavailable},
	{"a refused credential", relay.Response{Repeatable: true, TransportError: relay.TransportCredential}, relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", refused(403, "PERMISSION_DENIED", "NOT_ALLOWLISTED"), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404, no such account", refused(404, "NOT_FOUND", ""), relay.Unauthorized, relay.ReasonNotFound},
	{"404 without a body", answered(404, ""), relay.Unauthorized, relay.ReasonNotFound},
	{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"the minute's quota", throttled("Minute"), relay.Retry, relay.ReasonThrottled},
	{"the day's quota", throttled("Day"), relay.Retry, relay.ReasonThrottled},
	{"500", refused(500, "INTERNAL", ""), relay.Retry, relay.ReasonServerError},
	{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	{"504", refused(504, "DEADLINE_EXCEEDED", ""), relay.Retry, relay.ReasonServerError},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := googleads.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	require.Equal(t, "abc", googleads.Adapter{}.Outcome(answered(200, `{"requestId":"abc"}`)).TraceID)
	res := googleads.Adapter{}.Outcome(violated("EVENT_TIME_INVALID"))
	require.Equal(t, "request-1", res.TraceID)
	require.Equal(t, map[string]string{"reasons": "INVALID_ARGUMENT EVENT_TIME_INVALID", "fields": "events[0].event_timestamp"}, res.Fields)
}

func TestTheQuotaOfADayIsWaitedForLong(t *testing.T) {
	t.Parallel()
	require.Zero(t, googleads.Adapter{}.Outcome(throttled("Minute")).RetryAfter)
	res := googleads.Adapter{}.Outcome(throttled("Day"))
	require.Equal(t, 6*time.Hour, res.RetryAfter, "the last of five attempts is on another day")
	require.Equal(t, "IngestionMutateRequestsPerDayPerProject", res.Fields["quota"])
	longer := throttled("Day")
	longer.Header = map[string]string{"Retry-After": "36000"}
	require.Equal(t, 10*time.Hour, googleads.Adapter{}.Outcome(longer).RetryAfter)
}
