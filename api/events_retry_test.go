package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestARetryStartsOnce(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	id := o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonExhausted)
	path := fmt.Sprintf("/admin/v1/events/%d/retry", id)
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, path, "").status)
	r := o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, true, r.body["retried"])
	require.Equal(t, "pending", r.body["status"])
	r = o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, false, r.body["retried"])
	require.Contains(t, r.body["message"], "on its way")
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=retry", "").items(t), 1)

	o.end(id, relay.StatusDelivered, "")
	r = o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "not_retryable", r.body["code"])
	require.Equal(t, http.StatusNotFound, o.call(http.MethodPost, "/admin/v1/events/99/retry", "").status)
}
