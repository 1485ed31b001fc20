package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// The addresses of the simulated LinkedIn.
const (
	linkedinEvents = vendors.Prefix + "linkedin/conversionEvents"
	linkedinTokens = vendors.Prefix + "linkedin/oauth/"
)

// toLinkedIn shows the whole path: a rule for each type of event, throttling, refusals, and tokens that expire or are revoked.
func toLinkedIn(t *testing.T, w *town) {
	const hashed = `{"identifiers":"hashed","send_ip":true}`
	const mapped = `{"identifiers":"hashed","send_ip":true,"events":{"purchase_completed":{"name":"104012"}}}`
	made := w.connected(t, "linked", "linkedin", `{"refresh_token":"refresh-token-of-linked","client_id":"86abc","client_secret":"`+markSecret+`"}`, hashed)
	require.Contains(t, fmt.Sprint(made["warnings"]), "options.events has no id of the vendor's for purchase_completed")
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])
	w.postTo(t, "linked", "linked-0")
	require.Equal(t, relay.ReasonNotMapped, w.ended(t, "linked-0", purchase).Reason)
	asked(t, w.one, http.StatusUnprocessableEntity, http.MethodPatch, credential, `{"options":{"events":{"purchase_completed":{"name":"Purchase"}}}}`)
	asked(t, w.one, http.StatusOK, http.MethodPatch, credential, `{"options":`+mapped+`}`)

	w.throttledByLinkedIn(t)
	w.renewedAtLinkedIn(t)
	w.refusedByLinkedIn(t)
	asked(t, w.one, http.StatusOK, http.MethodPatch, credential, `{"credentials":{"refresh_token":"`+vendors.RevokedToken+`"}}`)
	w.unauthorizedAt(t, "linkedin", "linked", 0, "") // no access token, so that nothing leaves

	w.connected(t, "revoked", "linkedin", `{"access_token":"`+vendors.RevokedToken+`"}`, mapped)
	w.unauthorizedAt(t, "linkedin", "revoked", 1, "REVOKED_ACCESS_TOKEN")
}

// throttledByLinkedIn covers a purchase that LinkedIn accepts after it was busy. The body has nothing of the person in the clear but
// the address, and the record has no token.
func (w *world) throttledByLinkedIn(t *testing.T) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: linkedinEvents, Answers: []sandbox.Answer{{Status: 429,
		Body: `{"status":429,"serviceErrorCode":101,"code":"TOO_MANY_REQUESTS","message":"Resource level throttle"}`}}}))
	w.postTo(t, "linked", "linked-1")
	e := w.ended(t, "linked-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, "linkedin"))
	got := w.atVendors(t, e)
	require.Len(t, got, 2)
	require.Equal(t, got[0].Body, got[1].Body)
	require.Equal(t, "Bearer issued-by-linkedin", got[1].Headers.Get("Authorization"))
	require.Contains(t, got[1].Body, `"conversion":"urn:lla:llaPartnerConversion:104012"`)
	require.NotContains(t, got[1].Body, markEmail)
	require.NotContains(t, got[1].Body, markName)
	require.Zero(t, w.count(t, `SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND
		CONCAT_WS(' ', header_names, request_body, detail) REGEXP 'issued-by|refresh-token-of|203.0.113'`, e.ID))
}

// renewedAtLinkedIn covers an access token that LinkedIn no longer accepts: the next attempt has a fresh one. A refused token that
// is fresh is a refused credential, so that both workers need one first.
func (w *world) renewedAtLinkedIn(t *testing.T) {
	t.Helper()
	for i := 0; len(w.requests(t, linkedinTokens)) < 2; i++ {
		require.Less(t, i, 50, "one of two workers gets no event")
		order := fmt.Sprintf("linked-warm-%d", i)
		post(t, w.relays[i%2], withPerson("linked", order, purchase))
		require.Equal(t, relay.StatusDelivered, w.ended(t, order, purchase).Status)
	}
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: linkedinEvents, Answers: []sandbox.Answer{{Status: 401,
		Body: `{"status":401,"serviceErrorCode":65602,"code":"EXPIRED_ACCESS_TOKEN","message":"The token used in the request has expired"}`}}}))
	w.postTo(t, "linked", "linked-2")
	e := w.ended(t, "linked-2", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, relay.ReasonTokenExpired, attemptsAt(e, "linkedin")[0].Result.Reason)
}

// refusedByLinkedIn covers an event that LinkedIn does not take, and one that the relay does not send.
func (w *world) refusedByLinkedIn(t *testing.T) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: linkedinEvents, Answers: []sandbox.Answer{{Status: 422,
		Body: `{"status":422,"code":"INVALID_VALUE","message":"Index: 0, ERROR :: /user/userIds/idValue :: ` + markEmail + ` is not valid\n"}`}}}))
	w.postTo(t, "linked", "linked-3")
	e := w.ended(t, "linked-3", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, []relay.Outcome{relay.Rejected}, outcomes(e, "linkedin"))
	require.Equal(t, map[string]string{"code": "INVALID_VALUE", "field": "/user/userIds/idValue"}, attemptsAt(e, "linkedin")[0].Result.Fields)

	i := withPerson("linked", "linked-4", purchase)
	for _, field := range strings.Fields("email first_name client_ip") {
		delete(i, field)
	}
	post(t, w.relays[0], i)
	e = w.ended(t, "linked-4", purchase)
	require.Equal(t, relay.ReasonMissingField, e.Reason)
	require.Empty(t, w.atVendors(t, e))
}
