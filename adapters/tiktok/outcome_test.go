package tiktok_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/tiktok"
	"relay/internal/relay"
)

func said(status, code int, message string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: fmt.Appendf(nil,
		`{"code":%d,"message":%q,"request_id":"20261123AbC","data":{"failed":"about Jane"}}`, code, message)}
}

func TestEveryCodeOfTikTokHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codes   []int
		status  int
		message string
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{[]int{0}, 200, "OK", relay.Accepted, ""},
		{[]int{20001}, 200, "Partial success", relay.Rejected, relay.ReasonPartial},
		{[]int{40002}, 200, "Invalid value about Jane", relay.Rejected, relay.ReasonVendorRejected},
		{[]int{40001}, 200, "No permission to operate pixel", relay.Unauthorized, relay.ReasonVendorPermission},
		{[]int{40100}, 200, "Too many requests", relay.Retry, relay.ReasonThrottled},
		{[]int{40104, 40105}, 200, "Access token is incorrect or has been revoked.", relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{40101, 40102, 40103, 40106, 40110}, 200, "Authentication", relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{40007}, 200, "Object does not exist", relay.Unauthorized, relay.ReasonNotFound},
		{[]int{50000, 50002, 51010, 59999}, 200, "System error", relay.Retry, relay.ReasonServerError},
		{[]int{40900}, 200, "Internal service timed out, about Jane", relay.Retry, relay.ReasonServerError},
		{[]int{40900}, 200, "internal time-out", relay.Retry, relay.ReasonServerError},
		{[]int{1, 40000, 40200, 60000, -1}, 200, "Something about Jane", relay.Rejected, relay.ReasonVendorRejected},
		{[]int{40105}, 401, "Access token", relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{40002}, 403, "Invalid", relay.Rejected, relay.ReasonVendorRejected},
		{[]int{40000}, 403, "Forbidden", relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{0}, 400, "OK", relay.Rejected, relay.ReasonVendorRejected},
		{[]int{0, 40002}, 500, "OK", relay.Retry, relay.ReasonServerError},
		{[]int{40002}, 429, "OK", relay.Retry, relay.ReasonThrottled},
	} {
		for _, code := range c.codes {
			res := tiktok.Adapter{}.Outcome(said(c.status, code, c.message))
			name := fmt.Sprintf("HTTP %d, code %d", c.status, code)
			require.Equal(t, c.outcome, res.Outcome, name)
			require.Equal(t, c.reason, res.Reason, name)
			require.Equal(t, c.status, res.Status, name)
			require.Equal(t, "20261123AbC", res.TraceID, name)
			require.Equal(t, map[string]string{"code": fmt.Sprint(code)}, res.Fields, name)
		}
	}
}

func TestOtherResponsesOfTikTok(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		body    string
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{200, ``, relay.Retry, relay.ReasonNotJSON},
		{200, `OK`, relay.Retry, relay.ReasonNotJSON},
		{200, `{}`, relay.Retry, relay.ReasonNotJSON},
		{200, `{"code":"zero"}`, relay.Retry, relay.ReasonNotJSON},
		{200, `{"code":"0"}`, relay.Accepted, ""},
		{200, `<html>`, relay.Retry, relay.ReasonNotJSON},
		{502, "<html>\r\n<head><title>502 Bad Gateway</title></head>", relay.Retry, relay.ReasonServerError},
		{400, `<html>`, relay.Retry, relay.ReasonNotJSON},
		{400, ``, relay.Rejected, relay.ReasonBadRequest},
		{401, ``, relay.Unauthorized, relay.ReasonUnauthorized},
		{403, `{}`, relay.Unauthorized, relay.ReasonUnauthorized},
		{404, `{}`, relay.Rejected, relay.ReasonNotFound},
		{301, ``, relay.Rejected, relay.ReasonRedirect},
		{429, ``, relay.Retry, relay.ReasonThrottled},
	} {
		res := tiktok.Adapter{}.Outcome(relay.Response{Sent: true, Repeatable: true, Status: c.status, Body: []byte(c.body)})
		require.Equal(t, c.outcome, res.Outcome, "%d %s", c.status, c.body)
		require.Equal(t, c.reason, res.Reason, "%d %s", c.status, c.body)
	}
	timeout := tiktok.Adapter{}.Outcome(relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout})
	require.Equal(t, relay.Retry, timeout.Outcome, "a second copy is dropped by its id")
}

func TestTheFieldThatTikTokNamesIsRecorded(t *testing.T) {
	t.Parallel()
	for message, field := range map[string]string{
		"Batch.0.properties.contents.0.content_id: Not a valid string, got Jane": "properties.contents.0.content_id",
		"Batch.0.event_id: Not a valid string.":                                  "event_id",
		"Batch.0.properties.value: Not a number":                                 "properties.value",
		"Batch.0.user.jane@example.com: no":                                      "",
		"Batch.0.user.0123456789abcdef: no":                                      "",
		"Batch.0.secret.value: no":                                               "",
		"Invalid value for Jane":                                                 "",
	} {
		require.Equal(t, field, tiktok.Adapter{}.Outcome(said(200, 40002, message)).Fields["field"], message)
	}
}
