package meta_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/meta"
	"relay/internal/relay"
)

// failed is an error response of Meta's with all values that must not be kept.
func failed(status, code, subcode int) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: fmt.Appendf(nil,
		`{"error":{"message":"about jane@example.com","type":"OAuthException","code":%d,"error_subcode":%d,"error_user_msg":"about Jane","fbtrace_id":"AbC-1_x"}}`,
		code, subcode)}
}

func TestEveryCodeOfMetaHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codes   []int
		status  int
		subcode int
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{[]int{1, 2, 5000, 21009}, 400, 0, relay.Retry, relay.ReasonServerError},
		{[]int{1}, 400, 99, relay.Retry, relay.ReasonServerError},
		{[]int{4, 17, 32, 341, 613, 80000, 80003, 80004, 80014}, 400, 0, relay.Retry, relay.ReasonThrottled},
		{[]int{613}, 400, 1487742, relay.Retry, relay.ReasonThrottled},
		{[]int{4, 17}, 403, 0, relay.Retry, relay.ReasonThrottled},
		{[]int{368}, 400, 0, relay.Retry, relay.ReasonThrottled},
		{[]int{102, 190}, 400, 0, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 400, 458, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 400, 459, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 401, 460, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 401, 463, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 401, 467, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{3, 10, 200, 294, 299}, 400, 0, relay.Unauthorized, relay.ReasonVendorPermission},
		{[]int{100}, 400, 33, relay.Unauthorized, relay.ReasonNotFound},
		{[]int{100}, 400, 2804003, relay.Rejected, relay.ReasonTooOld},
		{[]int{100}, 400, 2804010, relay.Rejected, relay.ReasonMissingField},
		{[]int{100}, 400, 2804050, relay.Rejected, relay.ReasonMissingField},
		{[]int{100}, 400, 2804001, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804007, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804009, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804014, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804016, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804017, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804019, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 400, 2804048, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100, 105, 506}, 400, 0, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100}, 403, 2804007, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{7777, -3, 0}, 400, 0, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{7777}, 404, 0, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{7777}, 401, 0, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{190}, 200, 0, relay.Unauthorized, relay.ReasonUnauthorized},
		{[]int{7777}, 200, 0, relay.Rejected, relay.ReasonVendorRejected},
		{[]int{100, 190}, 500, 33, relay.Retry, relay.ReasonServerError},
		{[]int{100}, 429, 0, relay.Retry, relay.ReasonThrottled},
	} {
		for _, code := range c.codes {
			res := meta.Adapter{}.Outcome(failed(c.status, code, c.subcode))
			name := fmt.Sprintf("HTTP %d, code %d, subcode %d", c.status, code, c.subcode)
			require.Equal(t, c.outcome, res.Outcome, name)
			require.Equal(t, c.reason, res.Reason, name)
			require.Equal(t, c.status, res.Status, name)
			require.Equal(t, "AbC-1_x", res.TraceID, name)
			require.Equal(t, map[string]string{"code": fmt.Sprint(code), "subcode": fmt.Sprint(c.subcode), "type": "OAuthException"}, res.Fields, name)
			require.NotContains(t, fmt.Sprintf("%+v", res), "ane", "no text of the vendor's")
		}
	}
}

func TestOtherResponsesOfMeta(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		body    string
		outcome relay.Outcome
		reason  relay.Reason
		trace   string
	}{
		{200, `{"events_received":1,"messages":[],"fbtrace_id":"AbC"}`, relay.Accepted, "", "AbC"},
		{200, `{"events_received":0,"messages":["no"],"fbtrace_id":"AbC"}`, relay.Rejected, relay.ReasonVendorRejected, "AbC"},
		{200, `{"error":{"message":"x","code":190,"fbtrace_id":"AbC"}}`, relay.Unauthorized, relay.ReasonUnauthorized, "AbC"},
		{200, `{}`, relay.Retry, relay.ReasonNotJSON, ""},
		{200, ``, relay.Retry, relay.ReasonNotJSON, ""},
		{200, `<!DOCTYPE html><html>`, relay.Retry, relay.ReasonNotJSON, ""},
		{400, `<html><body>Sorry</body></html>`, relay.Retry, relay.ReasonNotJSON, ""},
		{400, `{"error":{"message":"x","code":100,"is_transient":true,"fbtrace_id":"not one of Meta's ids"}}`, relay.Retry, relay.ReasonServerError, ""},
		{400, `{"error":{"message":"x"}}`, relay.Rejected, relay.ReasonVendorRejected, ""},
		{400, `{"error":"x"}`, relay.Rejected, relay.ReasonBadRequest, ""},
		{400, ``, relay.Rejected, relay.ReasonBadRequest, ""},
		{401, `{}`, relay.Unauthorized, relay.ReasonUnauthorized, ""},
		{403, ``, relay.Unauthorized, relay.ReasonUnauthorized, ""},
		{404, `{}`, relay.Rejected, relay.ReasonNotFound, ""},
		{302, ``, relay.Rejected, relay.ReasonRedirect, ""},
		{429, ``, relay.Retry, relay.ReasonThrottled, ""},
		{500, `{"error":{"code":1,"fbtrace_id":"AbC"}}`, relay.Retry, relay.ReasonServerError, "AbC"},
		{503, `<html>`, relay.Retry, relay.ReasonServerError, ""},
	} {
		res := meta.Adapter{}.Outcome(relay.Response{Sent: true, Repeatable: true, Status: c.status, Body: []byte(c.body)})
		require.Equal(t, c.outcome, res.Outcome, c.body)
		require.Equal(t, c.reason, res.Reason, c.body)
		require.Equal(t, c.trace, res.TraceID, c.body)
	}
	timeout := meta.Adapter{}.Outcome(relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout})
	require.Equal(t, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonTimeout}, timeout, "a second copy is dropped by its id")
	ok := meta.Adapter{}.Outcome(relay.Response{Status: 200, Body: []byte(`{"events_received":1,"messages":["a","b"]}`)})
	require.Equal(t, map[string]string{"events_received": "1", "messages": "2"}, ok.Fields)
}

func TestAThrottledResponseReturnsTheWait(t *testing.T) {
	t.Parallel()
	r := failed(400, 80004, 0)
	r.Header = map[string]string{"X-Business-Use-Case-Usage": `{"123":[{"type":"ads_management","estimated_time_to_regain_access":7},{"estimated_time_to_regain_access":19.5}],"4":[]}`}
	require.Equal(t, 19*time.Minute+30*time.Second, meta.Adapter{}.Outcome(r).RetryAfter)
	r.Header["Retry-After"] = "3600"
	require.Equal(t, time.Hour, meta.Adapter{}.Outcome(r).RetryAfter)
	r.Header = map[string]string{"X-Business-Use-Case-Usage": `nonsense`}
	require.Zero(t, meta.Adapter{}.Outcome(r).RetryAfter)
	require.Equal(t, 6*time.Hour, meta.Adapter{}.Outcome(failed(400, 368, 0)).RetryAfter, "a block for abuse: further requests prolong it")
	r = failed(400, 190, 0)
	r.Header = map[string]string{"X-Business-Use-Case-Usage": `{"1":[{"estimated_time_to_regain_access":7}]}`}
	require.Zero(t, meta.Adapter{}.Outcome(r).RetryAfter, "only where Meta throttles")
}
