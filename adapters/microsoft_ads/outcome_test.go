package microsoftads_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	microsoftads "relay/adapters/microsoft_ads"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	invalid = `{"error":{"code":"ValidationError","message":"about jane@example.com","details":[{"index":0,"propertyName":"eventTime",` +
		`"attemptedValue":"jane@example.com","errorMessage":"too old","errorCode":"TooOld"}]},"traceId":"trace-1"}`
	warned = `{"eventsReceived":1,"error":{"code":"ValidationError","details":[{"index":0,"propertyName":"customData.value","isWarning":true}]}}`
)

// responses are all known ones of the vendor, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"received", answered(200, `{"eventsReceived":1}`), relay.Accepted, ""},
	{"received, 202", answered(202, `{"eventsReceived":"1"}`), relay.Accepted, ""},
	{"no count", answered(200, `{}`), relay.Accepted, ""},
	{"odd form", answered(200, `{"eventsReceived":1,"error":"none","details":{}}`), relay.Accepted, ""},
	{"a warning", answered(200, warned), relay.Accepted, ""},
	{"none received", answered(200, `{"eventsReceived":0}`), relay.Rejected, relay.ReasonVendorRejected},
	{"an error in 200", answered(200, invalid), relay.Rejected, relay.ReasonVendorRejected},
	{"an error without details in 200", answered(200, `{"error":{"code":"ValidationError"}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"details at the top in 200", answered(200, `{"eventsReceived":1,"details":[{"index":0,"errorCode":"X"}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"a warning beside an error", answered(200, `{"details":[{"isWarning":true},{"isWarning":false}]}`), relay.Rejected, relay.ReasonVendorRejected},
	{"unauthorized in 200", answered(200, `{"error":{"code":"unauthorized"}}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"unauthorized in 400", answered(400, `{"error":{"code":"Unauthorized"}}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
	{"text", answered(200, "ok"), relay.Retry, relay.ReasonNotJSON},
	{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"400", answered(400, invalid), relay.Rejected, relay.ReasonBadRequest},
	{"400 without a body", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"401", answered(401, `{}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404, no such tag", answered(404, `{}`), relay.Unauthorized, relay.ReasonNotFound},
	{"404 without a body", answered(404, ""), relay.Unauthorized, relay.ReasonNotFound},
	{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
	{"429", answered(429, `{"error":{"code":"Unauthorized"}}`), relay.Retry, relay.ReasonThrottled},
	{"500", answered(500, invalid), relay.Retry, relay.ReasonServerError},
	{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := microsoftads.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	res := microsoftads.Adapter{}.Outcome(answered(400, invalid))
	require.Equal(t, "trace-1", res.TraceID)
	require.Equal(t, map[string]string{"code": "ValidationError", "properties": "eventTime", "codes": "TooOld"}, res.Fields)
}
