package snapchat_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/snapchat"
	"relay/internal/relay"
)

func responded(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	wrongToken = `{"status":"INVALID","reason":"Unauthorized resources"}`
	wrongEvent = `{"status":"INVALID","reason":"about jane@example.com","event":0,"errors":{"codes":["INVALID_EM",17,"two words"],"error_msgs":["em jane@example.com"]}}`
	byMessage  = `{"status":"invalid","errors":{"codes":[],"error_msgs":["unauthorized pixel"]}}`
)

// responses are all known ones of the vendor, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"valid", responded(200, `{"status":"VALID"}`), relay.Accepted, ""},
	{"valid, 202", responded(202, `{"status":"VALID","reason":"","errors":null}`), relay.Accepted, ""},
	{"no body", responded(200, ""), relay.Accepted, ""},
	{"no body, 204", responded(204, " \n"), relay.Accepted, ""},
	{"another status", responded(200, `{"status":"OK"}`), relay.Accepted, ""},
	{"no status", responded(200, `{"request_id":"a"}`), relay.Accepted, ""},
	{"odd form", responded(200, `{"status":"VALID","reason":{},"errors":["none"]}`), relay.Accepted, ""},
	{"of the validating endpoint", responded(200, `{"status":"VALID","test_event":{},"reason":"","event_logs":[]}`), relay.Accepted, ""},
	{"invalid in 200", responded(200, wrongEvent), relay.Rejected, relay.ReasonVendorRejected},
	{"invalid without a reason", responded(200, `{"status":"INVALID"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"invalid by the validating endpoint", responded(200, `{"status":"INVALID","test_event":{},"reason":"missing em","event_logs":[{}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"failed in 200", responded(200, `{"status":"FAILED"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"failed in 202, lower case", responded(202, `{"status":"failed","reason":"x"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"error in 200", responded(200, `{"status":"ERROR"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"invalid entry", responded(200, `{"status":"VALID","event_logs":[{"status":"VALID"},{"status":"INVALID"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"failed entry without a status", responded(200, `{"event_logs":[{"event_status":"FAILED","reason":"x"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"entry with errors", responded(200, `{"status":"VALID","event_logs":[{"errors":{"codes":["X"]}}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"entry with a list of errors", responded(200, `{"status":"VALID","event_logs":[{"errors":["no em"]}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"entry that is not valid", responded(200, `{"status":"VALID","event_logs":{"valid":false}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"entry without a right", responded(200, `{"status":"VALID","event_logs":[{"status":"INVALID","reason":"Unauthorized"}]}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"partial failure", responded(200, `{"status":"PARTIAL_FAILURE"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"invalid request in 200", responded(200, `{"status":"Invalid request"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"no error", responded(200, `{"status":"NO_ERROR"}`), relay.Accepted, ""},
	{"entries by index", responded(200, `{"status":"VALID","event_logs":{"0":{"status":"INVALID"}}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"valid entries by index", responded(200, `{"status":"VALID","event_logs":{"0":{"status":"VALID"}}}`), relay.Accepted, ""},
	{"entry that is not valid, in text", responded(200, `{"status":"VALID","event_logs":[{"valid":"False"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"valid entries", responded(200, `{"status":"VALID","event_logs":[{"status":"VALID","errors":[]},{}]}`), relay.Accepted, ""},
	{"entries of another form", responded(200, `{"status":"VALID","event_logs":"none"}`), relay.Accepted, ""},
	{"wrong pair in 200", responded(200, wrongToken), relay.Unauthorized, relay.ReasonUnauthorized},
	{"wrong pair in 400", responded(400, wrongToken), relay.Unauthorized, relay.ReasonUnauthorized},
	{"wrong pair by message", responded(200, byMessage), relay.Unauthorized, relay.ReasonUnauthorized},
	{"400", responded(400, wrongEvent), relay.Rejected, relay.ReasonBadRequest},
	{"400 without a body", responded(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"401", responded(401, `{"status":"INVALID"}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", responded(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404", responded(404, "{}"), relay.Rejected, relay.ReasonNotFound},
	{"413", responded(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"302", responded(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"408", responded(408, ""), relay.Retry, relay.ReasonTimeout},
	{"429", responded(429, wrongToken), relay.Retry, relay.ReasonThrottled},
	{"500", responded(500, wrongEvent), relay.Retry, relay.ReasonServerError},
	{"503", responded(503, ""), relay.Retry, relay.ReasonServerError},
	{"web page in 200", responded(200, "<html>maintenance"), relay.Retry, relay.ReasonNotJSON},
	{"text in 200", responded(200, "ok"), relay.Retry, relay.ReasonNotJSON},
	{"cut response", relay.Response{Sent: true, Repeatable: true, Status: 200, TransportError: relay.TransportCut, Body: []byte(`{"status":"IN`)}, relay.Retry, relay.ReasonNetwork},
	{"cut before its first byte", relay.Response{Sent: true, Repeatable: true, Status: 200, TransportError: relay.TransportCut}, relay.Retry, relay.ReasonNetwork},
	{"time-out", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
	{"no connection", relay.Response{Repeatable: true, TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork},
	{"forbidden address", relay.Response{TransportError: relay.TransportAddress}, relay.Rejected, relay.ReasonAddressRefused},
}

func TestEveryResponseOfSnapHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := snapchat.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.Equal(t, c.reply.Status, res.Status, c.name)
	}
}

func TestOutcomeKeepsCodesAndNoText(t *testing.T) {
	t.Parallel()
	res := snapchat.Adapter{}.Outcome(responded(400,
		`{"status":"INVALID","reason":"jane@example.com","request_id":"req-1","errors":{"codes":["INVALID_EM",17,"two words"],"error_msgs":["jane"]}}`))
	require.Equal(t, map[string]string{"status": "INVALID", "codes": "INVALID_EM 17"}, res.Fields)
	require.Equal(t, "req-1", res.TraceID)
	res = snapchat.Adapter{}.Outcome(responded(200, `{"status":"jane","request_id":"of jane"}`))
	require.Nil(t, res.Fields)
	require.Empty(t, res.TraceID)
}
