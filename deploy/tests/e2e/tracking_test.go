package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// toSegment shows the whole path of the tracking API at Segment, which drops second copies.
func toSegment(t *testing.T, w *town) { w.track(t, "segment", `{"write_key":%q}`) }

// toRudderStack shows it at RudderStack, which does not.
func toRudderStack(t *testing.T, w *town) {
	w.track(t, "rudderstack", `{"write_key":%q,"data_plane_host":"tracked.dataplane.example.com"}`)
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: vendors.Prefix + "rudderstack/", Answers: []sandbox.Answer{{Action: sandbox.ActionReset}}}))
	w.postTo(t, "at-rudderstack", "rudderstack-lost")
	e := w.ended(t, "rudderstack-lost", purchase)
	require.Equal(t, relay.ReasonUnknown, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unknown}, outcomes(e, "rudderstack"))
	require.Len(t, w.atVendors(t, e), 1)
}

// track covers an event that is accepted once the vendor is no longer busy, one that it refuses, and a key that it refuses.
func (w *world) track(t *testing.T, platform, fields string) {
	t.Helper()
	storefront, path := "at-"+platform, vendors.Prefix+platform+"/v1/track"
	made := w.connected(t, storefront, platform, fmt.Sprintf(fields, markSecret), `{"identifiers":"hashed"}`)
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])

	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Answers: []sandbox.Answer{{Status: 503}, {Status: 429, Body: "Max Requests Limit reached"}}}))
	order := platform + "-1"
	w.postTo(t, storefront, order)
	e := w.ended(t, order, purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, platform))
	got := w.atVendors(t, e)
	require.Len(t, got, 3)
	var call map[string]any
	require.NoError(t, json.Unmarshal([]byte(got[2].Body), &call))
	require.Equal(t, "Order Completed", call["event"])
	require.Equal(t, dedupID(e), call["messageId"])
	require.Regexp(t, "^[0-9a-f]{64}$", call["anonymousId"], "under the data policy health the shop's own id is a hash")
	require.NotContains(t, got[2].Body, markEmail)
	require.NotContains(t, got[2].Body, "patient-7")
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND CONCAT_WS(' ', header_names, request_body, detail) LIKE '%Basic %'", e.ID))

	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Answers: []sandbox.Answer{{Status: 400, Body: markEmail + " is wrong"}}}))
	order = platform + "-2"
	w.postTo(t, storefront, order)
	e = w.ended(t, order, purchase)
	require.Equal(t, relay.ReasonBadRequest, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Rejected}, outcomes(e, platform))

	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, `{"options":{"identifiers":"hashed","plain_identifiers":"baa_signed"}}`)
	order = platform + "-3"
	w.postTo(t, storefront, order)
	e = w.ended(t, order, purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Contains(t, w.atVendors(t, e)[0].Body, `"userId":"patient-7"`)

	revoked := "revoked-at-" + platform
	w.connected(t, revoked, platform, fmt.Sprintf(fields, vendors.RevokedToken), `{"identifiers":"hashed"}`)
	w.unauthorizedAt(t, platform, revoked, 1, "")
}
