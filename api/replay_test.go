package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

const replays = "/admin/v1/replays"

func TestAReplayIsDryRunThenStarted(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	for n := range 3 {
		o.ended(o.bosley, fmt.Sprint("b-", n), relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	}
	o.ended(o.pfizer, "p-1", relay.StatusFailed, relay.ReasonExhausted)
	wish := `{"filter":{"storefront":"bosley","status":["failed"]},"rate":50}`
	r := o.call(http.MethodPost, replays+"?dry_run=true", wish)
	require.Equal(t, http.StatusOK, r.status, r.text)
	dry := r.body["dry_run"].(map[string]any)
	require.InDelta(t, 3, dry["events"], 0)
	by := dry["by"].([]any)[0].(map[string]any)
	require.Equal(t, "vendor", by["destination"])
	require.Equal(t, "unauthorized", by["reason"])
	require.Empty(t, o.call(http.MethodGet, replays, "").items(t), "a dry run begins nothing")

	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, replays, wish).status)
	r = o.call(http.MethodPost, replays, wish)
	require.Equal(t, http.StatusCreated, r.status, r.text)
	begun := r.body["replay"].(map[string]any)
	require.InDelta(t, 3, begun["matched"], 0)
	require.InDelta(t, 3, begun["remaining"], 0)
	require.Equal(t, "anna", begun["created_by"])
	id := int64(begun["id"].(float64))
	require.Equal(t, []int64{id}, o.runner.started)
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=replay", "").items(t), 1)

	path := fmt.Sprintf("%s/%d", replays, id)
	r = o.call(http.MethodPost, path+"/pause", "")
	require.Equal(t, "paused", r.body["state"], r.text)
	require.NotContains(t, r.body, "eta")
	r = o.call(http.MethodPost, path+"/resume", "")
	require.Equal(t, "running", r.body["state"])
	require.Contains(t, r.body, "eta")
	step, err := o.store.StepReplay(t.Context(), id, 2)
	require.NoError(t, err)
	require.Equal(t, 2, step.Started)
	r = o.as(rita).call(http.MethodGet, path, "")
	require.InDelta(t, 2, r.body["in_flight"], 0)
	require.InDelta(t, 1, r.body["remaining"], 0)
	r = o.call(http.MethodPost, path+"/cancel", "")
	require.Equal(t, "cancelled", r.body["state"])
	r = o.call(http.MethodPost, path+"/resume", "")
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "replay_ended", r.body["code"])
}

func TestAResendNeedsTheNumberOfItsDryRun(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	accepted := relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted}
	o.ended(o.bosley, "b-1", relay.StatusDelivered, "", accepted)
	o.ended(o.bosley, "b-2", relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted})
	wish := `{"filter":{"storefront":"bosley"},"resend":true,"destinations":["sgtm"]%s}`
	r := o.call(http.MethodPost, replays+"?dry_run=true", fmt.Sprintf(wish, ""))
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.InDelta(t, 1, r.body["dry_run"].(map[string]any)["events"], 0)
	require.Equal(t, "missing_field confirm", o.call(http.MethodPost, replays, fmt.Sprintf(wish, "")).problem())
	r = o.call(http.MethodPost, replays, fmt.Sprintf(wish, `,"confirm":2`))
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "confirm_mismatch confirm", r.problem())
	r = o.call(http.MethodPost, replays, fmt.Sprintf(wish, `,"confirm":1`))
	require.Equal(t, http.StatusCreated, r.status, r.text)
	line := o.call(http.MethodGet, "/admin/v1/audit?action=resend", "").items(t)
	require.Len(t, line, 1)
	require.Contains(t, fmt.Sprint(line[0]["changes"]), "sgtm")
	require.Equal(t, r.body["replay"].(map[string]any)["id"], line[0]["entity_id"])
}

func TestBadReplaysAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for body, want := range map[string]string{
		`{}`:                                  "missing_field filter",
		`{"filter":{"status":["delivered"]}}`: "invalid_value filter.status",
		`{"filter":{"status":["pending"]},"resend":true,"destinations":["sgtm"]}`: "invalid_value filter.status",
		`{"filter":{},"resend":true}`:                        "missing_field destinations",
		`{"filter":{},"destinations":["sgtm"]}`:              "invalid_value destinations",
		`{"filter":{},"resend":true,"destinations":["\"x"]}`: "invalid_value destinations[0]",
		`{"filter":{},"confirm":1e30}`:                       "invalid_value confirm",
		`{"filter":{},"rate":0}`:                             "invalid_value rate",
		`{"filter":{},"rate":5000}`:                          "invalid_value rate",
		`{"filter":{"storefront":"nobody"}}`:                 "unknown_storefront filter.storefront",
		`{"filter":{"color":"red"}}`:                         "unknown_field filter.color",
		`{"filter":{"status":"failed"}}`:                     "wrong_type filter.status",
	} {
		r := o.call(http.MethodPost, replays, body)
		require.GreaterOrEqual(t, r.status, 400, body)
		require.Less(t, r.status, 500, body+" "+r.text)
		require.Equal(t, want, r.problem(), body)
	}
	require.Empty(t, o.call(http.MethodGet, replays, "").items(t))
}

func TestAReplayBeginsLaterWhereTemporalIsAway(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonExhausted)
	o.runner.down = true
	r := o.call(http.MethodPost, replays, `{"filter":{}}`)
	require.Equal(t, http.StatusCreated, r.status, r.text)
	open, err := o.store.OpenReplays(t.Context())
	require.NoError(t, err)
	require.Len(t, open, 1, "a worker finds it and starts it")
	r = o.call(http.MethodPost, fmt.Sprintf("%s/%d/pause", replays, open[0]), "")
	require.Equal(t, "paused", r.body["state"], "the row holds what is wanted: %s", r.text)
}

func TestAResumeDuringAPauseIsKept(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	id := int64(o.call(http.MethodPost, replays, `{"filter":{}}`).body["replay"].(map[string]any)["id"].(float64))
	for _, c := range []struct{ verb, state string }{
		{"pause", "paused"}, {"resume", "running"}, {"resume", "running"}, {"pause", "paused"}, {"resume", "running"},
	} {
		// No workflow obeys here: each request must find the state that the one before it wanted.
		r := o.call(http.MethodPost, fmt.Sprintf("%s/%d/%s", replays, id, c.verb), "")
		require.Equal(t, c.state, r.body["state"], r.text)
	}
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=pause", "").items(t), 2)
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=resume", "").items(t), 2, "what changes nothing is no line")
	require.Len(t, o.runner.woken, 5)
}

func TestAReplayAtAnUnhealthyDestinationReportsItAndProbesFirst(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonBadRequest, refusedAtMeta)
	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), "")
	o.unhealthy("vendor")
	for _, filter := range []string{`{"filter":{}}`, `{"filter":{"storefront":"bosley"}}`, `{"filter":{"destination":"vendor"}}`} {
		r := o.call(http.MethodPost, replays+"?dry_run=true", filter)
		warned := r.body["unhealthy"].([]any)
		require.Len(t, warned, 1, r.text)
		require.Equal(t, "vendor", warned[0].(map[string]any)["destination"])
		require.Equal(t, "unauthorized", warned[0].(map[string]any)["reason"])
		require.Contains(t, warned[0], "next_probe_at")
	}
	require.NotContains(t, o.call(http.MethodPost, replays+"?dry_run=true", `{"filter":{"storefront":"pfizer"}}`).body, "unhealthy")
	r := o.call(http.MethodPost, replays, `{"filter":{"storefront":"bosley"}}`)
	require.Len(t, r.body["unhealthy"], 1, r.text)
	id := int64(r.body["replay"].(map[string]any)["id"].(float64))
	step, err := o.store.StepReplay(t.Context(), id, 10)
	require.NoError(t, err)
	require.Equal(t, 1, step.Held, "nothing is turned away")
	due, err := o.store.HeldProbes(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, due, 1, "its probe is due")
	held := o.call(http.MethodGet, fmt.Sprintf("%s/%d", replays, id), "")
	require.InDelta(t, 1, held.body["held"], 0)
	require.InDelta(t, 1, held.body["remaining"], 0)
}

func TestReplaysAreListedPageByPage(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for range 3 {
		require.Equal(t, http.StatusCreated, o.call(http.MethodPost, replays, `{"filter":{}}`).status)
	}
	r := o.call(http.MethodGet, replays+"?limit=2", "")
	require.Len(t, r.items(t), 2)
	r = o.call(http.MethodGet, replays+"?limit=2&cursor="+r.body["next_cursor"].(string), "")
	require.Len(t, r.items(t), 1)
	require.NotContains(t, r.body, "next_cursor")
}
