package linkedin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/linkedin"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	revoked = `{"status":401,"serviceErrorCode":65601,"code":"REVOKED_ACCESS_TOKEN","message":"The token used in the request has been revoked by jane@example.com"}`
	expired = `{"status":401,"serviceErrorCode":65602,"code":"EXPIRED_ACCESS_TOKEN","message":"The token used in the request has expired"}`
	schema  = `{"status":422,"code":"MISSING_FIELD","message":"Index: 0, ERROR :: /user/userIds :: field is required but not found: jane@example.com\n"}`
	method  = `{"status":400,"code":"INVALID_REQUEST","message":"Conversion's method should be CONVERSIONS_API"}`
	page    = "<!doctype html><title>Bad gateway</title>"
)

// responses are all known ones of the vendor, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"201", answered(201, ""), relay.Accepted, ""},
	{"200", answered(200, `{"elements":[{"status":201}]}`), relay.Accepted, ""},
	{"204", answered(204, ""), relay.Accepted, ""},
	{"a page of a proxy", answered(200, page), relay.Retry, relay.ReasonNotJSON},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"400", answered(400, `{"status":400,"code":"INVALID_REQUEST","message":"x"}`), relay.Rejected, relay.ReasonBadRequest},
	{"400 without a body", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"400, a rule of another method", answered(400, method), relay.Unauthorized, relay.ReasonVendorPermission},
	{"401, revoked", answered(401, revoked), relay.Unauthorized, relay.ReasonUnauthorized},
	{"401, expired", answered(401, expired), relay.Unauthorized, relay.ReasonUnauthorized},
	{"401 without a body", answered(401, ""), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", answered(403, `{"status":403,"serviceErrorCode":100,"code":"ACCESS_DENIED"}`), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404, no such rule", answered(404, `{"status":404,"code":"NOT_FOUND"}`), relay.Unauthorized, relay.ReasonNotFound},
	{"404 of a proxy", answered(404, page), relay.Retry, relay.ReasonNotJSON},
	{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
	{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"422, the schema", answered(422, schema), relay.Rejected, relay.ReasonBadRequest},
	{"423", answered(423, ""), relay.Retry, relay.ReasonThrottled},
	{"426, a version that is gone", answered(426, `{"status":426,"code":"NONEXISTENT_VERSION"}`), relay.Unauthorized, relay.ReasonBadRequest},
	{"429", answered(429, `{"status":429,"serviceErrorCode":101,"code":"TOO_MANY_REQUESTS"}`), relay.Retry, relay.ReasonThrottled},
	{"500", answered(500, `{"status":500,"code":"INTERNAL_SERVER_ERROR"}`), relay.Retry, relay.ReasonServerError},
	{"501", answered(501, "{}"), relay.Rejected, relay.ReasonBadRequest},
	{"501 of a proxy", answered(501, page), relay.Retry, relay.ReasonServerError},
	{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	{"201, broken off", relay.Response{Sent: true, Repeatable: true, Status: 201, TransportError: relay.TransportCut}, relay.Accepted, ""},
	{"half a 400", relay.Response{Sent: true, Repeatable: true, Status: 400, Body: []byte(method[:90]), TransportError: relay.TransportCut},
		relay.Retry, relay.ReasonNetwork},
	{"no response", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
	{"a refresh token that is refused", relay.Response{TransportError: relay.TransportCredential}, relay.Unauthorized, relay.ReasonUnauthorized},
	{"no token now", relay.Response{TransportError: relay.TransportToken}, relay.Retry, relay.ReasonTokenUnavailable},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := linkedin.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.Equal(t, c.reply.Status, res.Status, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	require.Equal(t, map[string]string{"code": "REVOKED_ACCESS_TOKEN", "service_error_code": "65601"}, linkedin.Adapter{}.Outcome(answered(401, revoked)).Fields)
	require.Equal(t, map[string]string{"code": "MISSING_FIELD", "field": "/user/userIds"}, linkedin.Adapter{}.Outcome(answered(422, schema)).Fields)
}

func TestAnExpiredTokenThatWasExchangedIsRenewed(t *testing.T) {
	t.Parallel()
	cached := answered(401, expired)
	cached.CachedToken = true
	res := linkedin.Adapter{}.Outcome(cached)
	require.Equal(t, relay.Retry, res.Outcome)
	require.Equal(t, relay.ReasonTokenExpired, res.Reason)
	locked := answered(423, "")
	locked.Header = map[string]string{"Retry-After": "60"}
	require.Equal(t, time.Minute, linkedin.Adapter{}.Outcome(locked).RetryAfter)
}
