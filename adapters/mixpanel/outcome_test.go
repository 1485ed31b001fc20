package mixpanel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/mixpanel"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const invalid = `{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":0,"insert_id":"9b31",` +
	`"field":"properties.time","message":"jane@example.com is wrong"},{"field":"jane@example.com"},null],"num_records_imported":0,"status":"Bad Request"}`

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"imported", answered(200, `{"code":200,"num_records_imported":1,"status":"OK"}`), relay.Accepted, ""},
		{"no count", answered(200, `{"status":"OK"}`), relay.Accepted, ""},
		{"failed records in an odd form", answered(200, `{"failed_records":"none"}`), relay.Accepted, ""},
		{"none imported", answered(200, `{"code":200,"num_records_imported":0,"status":"OK"}`), relay.Rejected, relay.ReasonVendorRejected},
		{"none imported, as a text", answered(200, `{"num_records_imported":"0"}`), relay.Rejected, relay.ReasonVendorRejected},
		{"a failed record in 200", answered(200, invalid), relay.Rejected, relay.ReasonVendorRejected},
		{"the answer of the Track API", answered(200, "1"), relay.Retry, relay.ReasonNotJSON},
		{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
		{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
		{"400", answered(400, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"401", answered(401, `{"code":401,"error":"Invalid credentials","status":"Unauthorized"}`), relay.Unauthorized, relay.ReasonUnauthorized},
		{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"404", answered(404, "{}"), relay.Rejected, relay.ReasonNotFound},
		{"413", answered(413, `{"code":413,"error":"request exceeds max limit"}`), relay.Rejected, relay.ReasonTooLarge},
		{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
		{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
		{"429", answered(429, `{"code":429,"error":"too many requests"}`), relay.Retry, relay.ReasonThrottled},
		{"500", answered(500, invalid), relay.Retry, relay.ReasonServerError},
		{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	} {
		res := mixpanel.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	require.Equal(t, map[string]string{"fields": "properties.time"}, mixpanel.Adapter{}.Outcome(answered(400, invalid)).Fields)
	throttled := answered(429, "")
	throttled.Header = map[string]string{"Retry-After": "17"}
	require.Equal(t, 17*time.Second, mixpanel.Adapter{}.Outcome(throttled).RetryAfter)
}
