package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestOMSReadsTheStatusOfItsEvents(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonExhausted)
	o.event(o.bosley, "o-1", "consult_started", person)
	login := o.as([2]string{user, password})
	r := login.call(http.MethodGet, "/v1/events?order_id=o-1", "")
	list := r.items(t)
	require.Len(t, list, 2)
	require.Equal(t, "failed", list[0]["status"])
	require.Equal(t, "exhausted", list[0]["reason"])
	require.NotContains(t, r.text, "jo@example.com")
	r = login.call(http.MethodPost, "/v1/events/status", `{"ids":["o-1","o-9","o-9"]}`)
	require.Len(t, r.items(t), 2)
	require.Equal(t, []any{"o-9"}, r.body["unknown"])
	r = login.call(http.MethodPost, "/v1/events/status", `{"ids":["o-1  "," o-1","o-9 "]}`)
	require.Len(t, r.items(t), 2)
	require.Equal(t, []any{"o-9 "}, r.body["unknown"], "ids are trimmed as those of events are, and an id that is found is not unknown")

	require.Equal(t, http.StatusUnauthorized, o.as([2]string{user, "x"}).call(http.MethodGet, "/v1/events?order_id=o-1", "").status)
	require.Equal(t, "invalid_parameter order_id", login.call(http.MethodGet, "/v1/events", "").problem())
	many := `{"ids":["` + strings.Repeat(`1","`, 1000) + `1"]}`
	require.Equal(t, http.StatusUnprocessableEntity, login.call(http.MethodPost, "/v1/events/status", many).status)
	// Ingestion is still at the same path.
	req := httptest.NewRequest(http.MethodPost, "/v1/events", io.NopCloser(strings.NewReader(`{"data":[]}`)))
	req.SetBasicAuth(user, password)
	require.Equal(t, http.StatusAccepted, o.do(req).Code)
}
