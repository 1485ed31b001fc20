package pinterest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/pinterest"
	"relay/internal/relay"
)

func responded(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	processed = `{"num_events_received":1,"num_events_processed":1,"events":[{"status":"processed","error_message":"","warning_message":""}]}`
	failed    = `{"num_events_received":1,"num_events_processed":0,"events":[{"status":"failed","error_message":"about jane@example.com","warning_message":""}]}`
	tooOld    = `{"code":953,"message":"x","details":[{"status":"failed","error_message":"event_time is too far in the past"}]}`
)

// responses are all known ones of the vendor, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"processed", responded(200, processed), relay.Accepted, ""},
	{"processed with a warning", responded(200, `{"num_events_received":1,"num_events_processed":1,"events":[{"status":"processed","warning_message":"no ip"}]}`), relay.Accepted, ""},
	{"processed by the counts", responded(200, `{"num_events_received":1,"num_events_processed":1}`), relay.Accepted, ""},
	{"failed in 200", responded(200, failed), relay.Rejected, relay.ReasonVendorRejected},
	{"one of two", responded(200, `{"num_events_received":2,"num_events_processed":1,"events":[{"status":"processed"},{"status":"failed"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"fewer by the counts", responded(200, `{"num_events_received":1,"num_events_processed":0}`), relay.Rejected, relay.ReasonPartial},
	{"none received", responded(200, `{"num_events_received":0,"num_events_processed":0}`), relay.Rejected, relay.ReasonPartial},
	{"422 with details", responded(422, `{"code":953,"message":"x","details":[{"status":"failed","error_message":"bad em"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"422 with details in an object", responded(422, `{"code":"953","details":{"events":[{"status":"failed","error_message":"bad em"}]}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"422 of an old event", responded(422, tooOld), relay.Rejected, relay.ReasonTooOld},
	{"422 of which ours was processed", responded(422, `{"code":953,"details":[{"status":"processed"}]}`), relay.Accepted, ""},
	{"422 without details", responded(422, `{"code":953,"message":"x"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"422 with odd details", responded(422, `{"code":953,"details":"x"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"422 without a code", responded(422, `{}`), relay.Rejected, relay.ReasonVendorRejected},
	{"422 without JSON", responded(422, "no"), relay.Rejected, relay.ReasonBadRequest},
	{"400, unknown property", responded(400, `{"code":4196,"message":"'utm_source' was unexpected"}`), relay.Rejected, relay.ReasonVendorRejected},
	{"400, another code", responded(400, `{"code":1,"message":"x"}`), relay.Rejected, relay.ReasonBadRequest},
	{"400 without a body", responded(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"401, code 2", responded(401, `{"code":2,"message":"Authentication failed."}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"401 without a body", responded(401, ""), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403, code 29", responded(403, `{"code":29,"message":"not permitted"}`), relay.Unauthorized, relay.ReasonVendorPermission},
	{"403 without a code", responded(403, `{}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404", responded(404, `{"code":50,"message":"Not found"}`), relay.Unauthorized, relay.ReasonNotFound},
	{"404 without a body", responded(404, ""), relay.Unauthorized, relay.ReasonNotFound},
	{"413", responded(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"429, code 8", responded(429, `{"code":8,"message":"x"}`), relay.Retry, relay.ReasonThrottled},
	{"429 without a body", responded(429, ""), relay.Retry, relay.ReasonThrottled},
	{"throttled in 400", responded(400, `{"code":8}`), relay.Retry, relay.ReasonThrottled},
	{"throttled in 200", responded(200, `{"code":8}`), relay.Retry, relay.ReasonThrottled},
	{"503, ramped down", responded(503, `{"code":4197,"message":"x"}`), relay.Retry, relay.ReasonServerError},
	{"500", responded(500, `{"code":2}`), relay.Retry, relay.ReasonServerError},
	{"502 with a page", responded(502, "<html>"), relay.Retry, relay.ReasonServerError},
	{"a code in 200", responded(200, `{"code":77}`), relay.Rejected, relay.ReasonVendorRejected},
	{"JSON of another server", responded(200, `{"ok":true}`), relay.Retry, relay.ReasonNotJSON},
	{"a page in 200", responded(200, "<!doctype html>"), relay.Retry, relay.ReasonNotJSON},
	{"no body in 200", responded(200, ""), relay.Retry, relay.ReasonNotJSON},
	{"301", responded(301, ""), relay.Rejected, relay.ReasonRedirect},
	{"cut response", relay.Response{Sent: true, Repeatable: true, Status: 200, TransportError: relay.TransportCut, Body: []byte(processed[:40])}, relay.Retry, relay.ReasonNetwork},
	{"time-out", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
	{"no connection", relay.Response{Repeatable: true, TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork},
	{"forbidden address", relay.Response{TransportError: relay.TransportAddress}, relay.Rejected, relay.ReasonAddressRefused},
}

func TestEveryResponseOfPinterestHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := pinterest.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.Equal(t, c.reply.Status, res.Status, c.name)
	}
}

func TestARampedDownEndpointIsNotRetriedSoon(t *testing.T) {
	t.Parallel()
	reply := responded(503, `{"code":4197}`)
	require.Equal(t, 15*time.Minute, pinterest.Adapter{}.Outcome(reply).RetryAfter)
	reply.Header = map[string]string{"Retry-After": "3600"}
	require.Equal(t, time.Hour, pinterest.Adapter{}.Outcome(reply).RetryAfter)
	reply.Body = nil
	reply.Header = nil
	require.Zero(t, pinterest.Adapter{}.Outcome(reply).RetryAfter)
}

func TestOutcomeKeepsNumbersAndNoText(t *testing.T) {
	t.Parallel()
	reply := responded(200, failed)
	reply.Header = map[string]string{"X-Pinterest-Rid": "1494410597907320"}
	res := pinterest.Adapter{}.Outcome(reply)
	require.Equal(t, map[string]string{"num_events_received": "1", "num_events_processed": "0"}, res.Fields)
	require.Equal(t, "1494410597907320", res.TraceID)
	res = pinterest.Adapter{}.Outcome(responded(400, `{"code":4196,"message":"jane@example.com"}`))
	require.Equal(t, map[string]string{"code": "4196"}, res.Fields)
}
