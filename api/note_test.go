package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// noted sends a write with a note.
func (o *operated) noted(method, path, body, note string) int {
	o.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.SetBasicAuth(anna[0], anna[1])
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header["Relay-Note"] = []string{note}
	return o.do(req).Code
}

func TestTheAuditKeepsTheNoteOfAWrite(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	failed := o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonExhausted)
	pending := o.event(o.bosley, "o-2", "purchase_completed", person)
	first := func() map[string]any { return o.call(http.MethodGet, "/admin/v1/audit?limit=1", "").items(t)[0] }
	for n, c := range []struct{ method, path, body string }{
		{http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), ""},
		{http.MethodPatch, fmt.Sprintf("/admin/v1/storefronts/%d", o.bosley), `{"name":"Bosley Inc"}`},
		{http.MethodPost, "/admin/v1/storefronts", `{"storefront_id":"third","name":"Third"}`},
		{http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/retry", failed), ""},
		{http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/cancel", pending), ""},
		{http.MethodPost, "/admin/v1/replays", `{"filter":{}}`},
		{http.MethodPost, "/admin/v1/replays/1/pause", ""},
		{http.MethodPost, "/admin/v1/erasures", `{"order_id":"o-9"}`},
	} {
		note := fmt.Sprintf("ticket %d: Grüße, <b>", n)
		require.Less(t, o.noted(c.method, c.path, c.body, note), 300, c.path)
		require.Equal(t, note, first()["note"], c.path)
	}
	require.Equal(t, http.StatusOK, o.noted(http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/reveal", failed), `{"note":"in the body"}`, "in the header"))
	require.Equal(t, "in the body", first()["note"])
	was := first()["id"]
	for _, note := range []string{strings.Repeat("ä", 501), "two\tcolumns", "\xff"} {
		require.Equal(t, http.StatusUnprocessableEntity, o.noted(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/activate", container), "", note))
	}
	require.Equal(t, was, first()["id"])
	require.Equal(t, http.StatusOK, o.noted(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/activate", container), "", strings.Repeat("ä", 500)))
	require.Equal(t, http.StatusOK, o.noted(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), "", " "))
	require.NotContains(t, first(), "note")
}
