package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

const erasures = "/admin/v1/erasures"

// eraseAll is what the workflow does with events that have ended.
func (o *operated) eraseAll(ctx context.Context, id int64) error {
	if _, err := o.store.SearchErasure(ctx, id, 1000); err != nil {
		return err
	}
	items, err := o.store.ErasureItems(ctx, id, 100)
	if err != nil {
		return err
	}
	var done []int64
	for _, e := range items {
		if err := o.store.EraseEvent(ctx, e.ID); err != nil {
			return err
		}
		done = append(done, e.ID)
	}
	if err := o.store.CloseItems(ctx, id, done); err != nil {
		return err
	}
	_, err = o.store.EndErasure(ctx, id)
	return err
}

func TestAnOrderIsErasedAtOnceAndWhatIsLeftSaysSo(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	id := o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	other := o.ended(o.bosley, "b-2", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, erasures, `{"order_id":"b-1"}`).status)
	require.Empty(t, o.runner.erasing)

	o.runner.erase = o.eraseAll
	r := o.call(http.MethodPost, erasures, `{"order_id":"b-1"}`)
	require.Equal(t, http.StatusCreated, r.status, r.text)
	require.Equal(t, []any{"order", "done", ops.Erased("b-1"), "anna"}, []any{r.body["kind"], r.body["state"], r.body["subject_hash"], r.body["created_by"]})
	require.InDelta(t, 1, r.body["erased"], 0)
	require.NotContains(t, r.text, `"b-1"`)
	path := fmt.Sprintf("%s/%v", erasures, r.body["id"])
	got := o.as(rita).call(http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, got.status)
	require.JSONEq(t, r.text, got.text)

	line := o.call(http.MethodGet, "/admin/v1/audit?action=erase", "")
	require.Len(t, line.items(t), 1)
	require.Equal(t, "erasure 1", line.items(t)[0]["name"])
	require.Contains(t, line.text, ops.Erased("b-1"))
	require.NotContains(t, line.text, `"b-1"`)

	event := fmt.Sprintf("/admin/v1/events/%d", id)
	r = o.call(http.MethodPost, event+"/reveal", `{"note":"after the erasure"}`)
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Contains(t, r.body, "erased_at")
	require.Empty(t, r.body["payload"])
	require.Equal(t, []any{ops.Erased("b-1"), "failed", "purchase_completed", "bosley"},
		[]any{r.body["event_id"], r.body["status"], r.body["event_type"], r.body["storefront_code"]})
	require.NotContains(t, r.body, "workflow_url")
	r = o.call(http.MethodPost, event+"/retry", "")
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "erased", r.body["code"])
	r = o.call(http.MethodPost, "/admin/v1/preview", fmt.Sprintf(`{"id":%d}`, id))
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Contains(t, r.body, "erased_at")
	require.Equal(t, "erased", r.body["route"].(map[string]any)["reason"])
	for _, d := range r.body["destinations"].([]any) {
		require.Equal(t, false, d.(map[string]any)["sends"])
	}
	r = o.call(http.MethodPost, replays+"?dry_run=true", `{"filter":{"status":["failed"]}}`)
	require.InDelta(t, 1, r.body["dry_run"].(map[string]any)["events"], 0, "the other one")
	require.NotContains(t, o.call(http.MethodPost, "/admin/v1/preview", fmt.Sprintf(`{"id":%d}`, other)).body, "erased_at")
}

func TestAnErasureOfAPersonReportsItsProgress(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.event(o.bosley, "b-1", "purchase_completed", `{"order_id":"b-1","external_id":"person-7"}`)
	o.event(o.pfizer, "p-1", "purchase_completed", `{"order_id":"p-1","external_id":"person-7"}`)
	r := o.call(http.MethodPost, erasures, `{"external_id":"person-7","storefront":"bosley"}`)
	require.Equal(t, http.StatusCreated, r.status, r.text)
	require.Equal(t, []any{"external_id", "running"}, []any{r.body["kind"], r.body["state"]})
	require.InDelta(t, 2, r.body["total"], 0)
	require.InDelta(t, float64(o.bosley), r.body["storefront_id"], 0)
	require.NotContains(t, r.text, "person-7")
	id := int64(r.body["id"].(float64))
	require.Equal(t, []int64{id}, o.runner.erasing)
	require.Contains(t, r.body["workflow_url"], fmt.Sprintf("erase-events:%d", id))
	_, err := o.store.SearchErasure(t.Context(), id, 10)
	require.NoError(t, err)
	r = o.call(http.MethodGet, fmt.Sprintf("%s/%d", erasures, id), "")
	require.InDelta(t, 2, r.body["scanned"], 0)
	require.InDelta(t, 1, r.body["matched"], 0)
	require.NotContains(t, o.log.String(), "person-7")
}

func TestAnErasureBeginsLaterWhereTemporalIsAway(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.runner.down = true
	r := o.call(http.MethodPost, erasures, `{"order_id":"b-1"}`)
	require.Equal(t, http.StatusCreated, r.status, r.text)
	require.Equal(t, "running", r.body["state"])
	open, err := o.store.OpenErasures(t.Context())
	require.NoError(t, err)
	require.Len(t, open, 1, "a worker finds it and starts it")
}

func TestBadErasuresAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for body, want := range map[string]string{
		``:                                     "malformed_json <nil>",
		`[]`:                                   "wrong_type <nil>",
		`{}`:                                   "missing_field order_id",
		`{"order_id":"a","external_id":"b"}`:   "missing_field order_id",
		`{"order_id":" "}`:                     "missing_field order_id",
		`{"order_id":""}`:                      "invalid_value order_id",
		`{"order_id":7}`:                       "wrong_type order_id",
		`{"order_id":null}`:                    "missing_field order_id",
		`{"external_id":["a"]}`:                "wrong_type external_id",
		`{"order_id":"a","storefront":"none"}`: "unknown_storefront storefront",
		`{"email":"` + secretInAWrongPlace + `"}`:                          "unknown_field email",
		`{"order_id":"` + secretInAWrongPlace + secretInAWrongPlace + `"}`: "field_too_long order_id",
		`{"order_id":"a","order_id":"b"}`:                                  "repeated_field <nil>",
		`{"external_id":"a","storefront":"` + secretInAWrongPlace + `"}`:   "field_too_long storefront",
		`{"external_id":"a","` + secretInAWrongPlace + `":"x"}`:            "unknown_field …",
		`{"order_id":"` + secretInAWrongPlace + `","external_id":"a"}`:     "missing_field order_id",
	} {
		r := o.call(http.MethodPost, erasures, body)
		o.refused(t, body, badInput{problem: want}, r)
	}
	for path, want := range map[string]string{"/0": "not_found <nil>", "/x": "invalid_parameter id", "/99": "not_found <nil>"} {
		o.refused(t, path, badInput{problem: want}, o.call(http.MethodGet, erasures+path, ""))
	}
	open, err := o.store.OpenErasures(t.Context())
	require.NoError(t, err)
	require.Empty(t, open)
	require.Empty(t, o.call(http.MethodGet, "/admin/v1/audit?action=erase", "").items(t))
}

func TestOMSFindsWhatWasErasedByItsOrder(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonExhausted)
	o.runner.erase = o.eraseAll
	require.Equal(t, http.StatusCreated, o.call(http.MethodPost, erasures, `{"order_id":"b-1"}`).status)
	r := o.as([2]string{user, password}).call(http.MethodPost, "/v1/events/status", `{"ids":["b-1","b-2"]}`)
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, []any{"b-2"}, r.body["unknown"])
	item := r.items(t)[0]
	require.Equal(t, []any{"b-1", "b-1", "failed"}, []any{item["order_id"], item["event_id"], item["status"]}, "it asked by this, and gets it back")
	require.Contains(t, item, "erased_at")
	found := o.call(http.MethodGet, "/admin/v1/events?order_id=b-1", "").items(t)
	require.Len(t, found, 1)
	require.Equal(t, ops.Erased("b-1"), found[0]["order_id"])
}
