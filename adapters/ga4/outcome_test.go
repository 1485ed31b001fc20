package ga4_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/ga4"
	"relay/internal/relay"
)

func TestOutcomeOfAStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]relay.Result{
		200: {Outcome: relay.Accepted}, 202: {Outcome: relay.Accepted}, 204: {Outcome: relay.Accepted},
		301: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect},
		400: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest}, 413: {Outcome: relay.Rejected, Reason: relay.ReasonTooLarge},
		404: {Outcome: relay.Rejected, Reason: relay.ReasonNotFound},
		401: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized},
		403: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized},
		408: {Outcome: relay.Retry, Reason: relay.ReasonTimeout}, 429: {Outcome: relay.Retry, Reason: relay.ReasonThrottled},
		500: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 503: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
	} {
		want.Status = status
		for _, repeatable := range []bool{true, false} {
			reply := relay.Response{Sent: true, Status: status, Repeatable: repeatable}
			require.Equal(t, want, ga4.Adapter{}.Outcome(reply), "%d", status)
		}
	}
}

// GA4 drops a second copy of a purchase by its transaction_id, and counts one of anything else.
func TestALostResponseIsUnknownUnlessACopyIsDropped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		reply  relay.Response
		want   relay.Outcome
		reason relay.Reason
	}{
		{"time-out of a purchase", relay.Response{Sent: true, TransportError: relay.TransportTimeout, Repeatable: true}, relay.Retry, relay.ReasonTimeout},
		{"time-out of another event", relay.Response{Sent: true, TransportError: relay.TransportTimeout}, relay.Unknown, relay.ReasonUnknown},
		{"cut of a purchase", relay.Response{Sent: true, TransportError: relay.TransportCut, Repeatable: true}, relay.Retry, relay.ReasonNetwork},
		{"cut of another event", relay.Response{Sent: true, TransportError: relay.TransportCut}, relay.Unknown, relay.ReasonUnknown},
		{"time-out before the send", relay.Response{TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
		{"no connection", relay.Response{TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork},
		{"forbidden address", relay.Response{TransportError: relay.TransportAddress}, relay.Rejected, relay.ReasonAddressRefused},
		{"status without its body", relay.Response{Sent: true, Status: 204, TransportError: relay.TransportCut}, relay.Accepted, ""},
		{"failure without its body", relay.Response{Sent: true, Status: 503, TransportError: relay.TransportCut}, relay.Retry, relay.ReasonServerError},
	} {
		res := ga4.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.want, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
	}
}

func TestAnHTMLResponseIsRetried(t *testing.T) {
	t.Parallel()
	reply := relay.Response{Sent: true, Status: 200, Body: []byte("<!doctype html><title>Log in to the hotel's network</title>")}
	require.Equal(t, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNotJSON, Status: 200}, ga4.Adapter{}.Outcome(reply))
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	reply := relay.Response{Sent: true, Status: 429, Header: map[string]string{"Retry-After": "90"}}
	require.Equal(t, 90*time.Second, ga4.Adapter{}.Outcome(reply).RetryAfter)
}

func TestTheValidatingEndpointNamesTheErrors(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"VALUE_INVALID", "VALUE_REQUIRED", "NAME_INVALID", "NAME_RESERVED", "VALUE_OUT_OF_BOUNDS",
		"EXCEEDED_MAX_ENTITIES", "NAME_DUPLICATED", "INTERNAL_ERROR"} {
		body := `{"validationMessages":[{"fieldPath":"events[0].params.value","description":"about jane@example.com","validationCode":"` + code + `"}]}`
		res := ga4.Adapter{}.Outcome(relay.Response{Sent: true, Status: 200, Body: []byte(body), Repeatable: true})
		require.Equal(t, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonVendorRejected, Status: 200,
			Fields: map[string]string{"validation_code": code, "field_path": "events[0].params.value"}}, res)
	}
	for _, body := range []string{`{"validationMessages":[]}`, `{ "validationMessages": [ ] }`, ``, `{}`, `no JSON`} {
		res := ga4.Adapter{}.Outcome(relay.Response{Sent: true, Status: 200, Body: []byte(body), Repeatable: true})
		require.Equal(t, relay.Result{Outcome: relay.Accepted, Status: 200}, res, body)
	}
}

func TestMessagesHoldNoTextOfGoogle(t *testing.T) {
	t.Parallel()
	got := ga4.Messages([]byte(`{"validationMessages":[{"fieldPath":"client_id jane@example.com","validationCode":"VALUE_INVALID"},{"validationCode":"<b>"}]}`))
	require.Equal(t, []ga4.Message{{Code: "VALUE_INVALID"}, {}}, got)
}
