package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// unhealthy marks a destination of bosley as a refused credential does.
func (o *operated) unhealthy(destination string) {
	o.t.Helper()
	require.NoError(o.t, o.store.RecordFailure(o.t.Context(), o.bosley, destination, relay.Failure{Reason: relay.ReasonUnauthorized, Status: 401, Down: true, Probe: 30 * time.Second}))
}

// mayAttempt reports whether the next event of bosley may be attempted at an unhealthy destination, and takes its turn.
func (o *operated) mayAttempt(destination string) bool {
	o.t.Helper()
	may, err := o.store.Probe(o.t.Context(), o.bosley, destination, time.Minute)
	require.NoError(o.t, err)
	return may
}

func TestAWriteOfSettingsReportsFailedEventsAndAllowsTheNextAttempt(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, credential := o.configured()
	reasons := []relay.Reason{relay.ReasonUnauthorized, relay.ReasonExhausted, relay.ReasonUnhealthy}
	for _, destination := range []string{"vendor", relay.SGTM} {
		o.unhealthy(destination)
		for _, reason := range reasons {
			o.ended(o.bosley, destination+"-"+string(reason), relay.StatusFailed, reason, relay.DeliveryResult{Destination: destination, Reason: reason})
		}
		o.ended(o.bosley, destination+"-mapped", relay.StatusFailed, relay.ReasonInvalidPayload, relay.DeliveryResult{Destination: destination})
	}
	o.ended(o.bosley, "elsewhere", relay.StatusFailed, relay.ReasonUnauthorized, relay.DeliveryResult{Destination: "other"})

	for _, write := range []struct{ destination, method, path, body string }{
		{"vendor", http.MethodPatch, fmt.Sprintf("/admin/v1/credentials/%d", credential), `{"credentials":{"access_token":"a-new-one-of-some-length"}}`},
		{"vendor", http.MethodPut, fmt.Sprintf("/admin/v1/credentials/%d", credential),
			`{"credentials":{"access_token":"another-of-some-length","base_url":"https://vendor.example.com"}}`},
		{relay.SGTM, http.MethodPatch, fmt.Sprintf("/admin/v1/sgtm-configs/%d", container), `{"api_secret":"a-new-one-of-some-length"}`},
		{relay.SGTM, http.MethodPut, fmt.Sprintf("/admin/v1/sgtm-configs/%d", container),
			`{"sgtm_url":"https://gtm.example.com","measurement_id":"G-ABC124","api_secret":"another-of-some-length"}`},
	} {
		require.False(t, o.mayAttempt(write.destination), "it is left alone before the write")
		r := o.must(write.method, write.path, write.body)
		require.InDelta(t, 3, r.body["failed_since"], 0, r.text)
		offer, err := json.Marshal(r.body["replay"])
		require.NoError(t, err)
		dry := o.must(http.MethodPost, replays+"?dry_run=true", string(offer))
		require.InDelta(t, 3, dry.body["dry_run"].(map[string]any)["events"], 0, "the replay offered is of exactly those: %s", dry.text)
		require.True(t, o.mayAttempt(write.destination), "the next event finds out whether the write has fixed it")
		require.False(t, o.mayAttempt(write.destination), "and it alone")
		require.NotContains(t, o.must(http.MethodGet, write.path, "").body, "failed_since", "a read counts nothing")
	}
}

func TestAWriteReturnsTheFindingsOfACheck(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	_, credential := o.configured()
	path := fmt.Sprintf("/admin/v1/credentials/%d", credential)
	r := o.must(http.MethodPatch, path, `{"is_active":true}`)
	require.InDelta(t, 0, r.body["failed_since"], 0)
	require.NotContains(t, r.body, "replay", "there is nothing to replay")

	o.unhealthy("vendor")
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	written := o.must(http.MethodPatch, path, `{"credentials":{"access_token":"a-new-one-of-some-length"}}`)
	checked := o.must(http.MethodPost, path+"/check", "")
	require.InDelta(t, 1, written.body["failed_since"], 0)
	require.Equal(t, written.body["failed_since"], checked.body["failed_since"])
	require.Equal(t, written.body["replay"], checked.body["replay"])
}

func TestARefusedWriteLeavesAnUnhealthyDestinationAlone(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	_, credential := o.configured()
	o.unhealthy("vendor")
	r := o.call(http.MethodPatch, fmt.Sprintf("/admin/v1/credentials/%d", credential), `{"credentials":{"no_such_field":"x"}}`)
	require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
	require.False(t, o.mayAttempt("vendor"))
}

func TestTheFailedEventsOfADestinationAreCountedUpToABound(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	_, credential := o.configured()
	pool, err := sql.Open("mysql", o.dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	_, err = pool.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, order_id, storefront_id, event_type, event_payload, source_system, status, reason, ends)
		WITH RECURSIVE k AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM k WHERE i < 109)
		SELECT UUID(), 'o', ?, 'purchase_completed', '{}', 'oms', 'failed', 'unauthorized', '[{"destination":"vendor","outcome":"unauthorized"}]' FROM k a JOIN k b`, o.bosley)
	require.NoError(t, err)
	r := o.must(http.MethodPost, fmt.Sprintf("/admin/v1/credentials/%d/check", credential), "")
	require.InDelta(t, 10_000, r.body["failed_since"], 0, r.text)
	require.Equal(t, true, r.body["failed_more"])
	require.Contains(t, r.body, "replay")
}
