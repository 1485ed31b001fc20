package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/ops"
	"relay/internal/relay"
)

// unaudited cannot write the audit.
type unaudited struct{ api.EventStore }

func (unaudited) RecordAudit(context.Context, ops.AuditEntry) error { return errors.New("no room") }

func TestAnEventIsCancelled(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	cancel := func(id int64) reply {
		return o.call(http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/cancel", id), "")
	}
	state := func(id int64) []any {
		r := o.call(http.MethodGet, fmt.Sprintf("/admin/v1/events/%d", id), "")
		return []any{r.body["status"], r.body["reason"]}
	}
	lines := func() int { return len(o.call(http.MethodGet, "/admin/v1/audit?action=cancel", "").items(t)) }
	take := func(id int64) {
		ok, err := o.store.Take(t.Context(), id, "run")
		require.NoError(t, err)
		require.True(t, ok)
	}
	pending := o.event(o.bosley, "o-1", "purchase_completed", person)
	r := cancel(pending)
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, []any{true, "failed"}, []any{r.body["cancelled"], r.body["status"]})
	require.Equal(t, []any{"failed", "cancelled"}, state(pending))
	require.Equal(t, 1, lines())
	ok, err := o.store.Take(t.Context(), pending, "late")
	require.NoError(t, err)
	require.False(t, ok, "a workflow that was about to begin finds nothing to do")
	r = cancel(pending)
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "event_ended", r.body["code"])

	waiting := o.event(o.bosley, "o-2", "purchase_completed", person)
	take(waiting)
	o.runner.down = true
	r = cancel(waiting)
	require.Equal(t, http.StatusServiceUnavailable, r.status)
	require.Equal(t, "temporal_unavailable", r.body["code"])
	require.NotEmpty(t, r.header.Get("Retry-After"))
	require.Equal(t, "processing", state(waiting)[0])
	require.Equal(t, 2, lines(), "nothing was done, but it was asked for")

	o.runner.down = false
	o.runner.cancel = func(id int64) error {
		return o.store.Cancel(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonCancelled})
	}
	require.Equal(t, true, cancel(waiting).body["cancelled"])
	require.Equal(t, []any{"failed", "cancelled"}, state(waiting))
	require.Equal(t, 3, lines())

	lost := o.event(o.bosley, "o-3", "purchase_completed", person)
	take(lost)
	o.runner.cancel = nil
	require.Equal(t, true, cancel(lost).body["cancelled"], "no workflow delivers it any more")
	require.Equal(t, []any{"failed", "cancelled"}, state(lost))

	slow := o.event(o.bosley, "o-4", "purchase_completed", person)
	take(slow)
	o.runner.cancel = func(int64) error { return nil }
	r = cancel(slow)
	require.Equal(t, []any{false, "processing"}, []any{r.body["cancelled"], r.body["status"]}, "it is asked, and not seen to end")

	delivered := o.ended(o.bosley, "o-5", relay.StatusDelivered, "")
	require.Equal(t, http.StatusConflict, cancel(delivered).status)
	require.Equal(t, http.StatusNotFound, cancel(999_999).status)
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/cancel", slow), "").status)
}

func TestADeliveryIsCancelledOnlyWithItsLineInTheAudit(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	id := o.event(o.bosley, "o-1", "purchase_completed", person)
	ok, err := o.store.Take(t.Context(), id, "run")
	require.NoError(t, err)
	require.True(t, ok)
	path := fmt.Sprintf("/admin/v1/events/%d/cancel", id)

	whole := o.handler
	parts, deps := *o.ops, o.all
	parts.Events, deps.Ops = unaudited{o.store}, &parts
	o.handler, err = api.New(o.config, deps)
	require.NoError(t, err)
	require.Equal(t, http.StatusInternalServerError, o.call(http.MethodPost, path, "").status)
	state, err := o.store.EventState(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, relay.StatusProcessing, state.Status, "no workflow was open, and nothing was done")

	o.handler = whole
	ctx, leave := context.WithCancel(t.Context())
	o.runner.cancel = func(id int64) error {
		defer leave()
		return o.store.Cancel(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonCancelled})
	}
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, path, nil)
	req.SetBasicAuth(anna[0], anna[1])
	o.handler.ServeHTTP(httptest.NewRecorder(), req)
	state, err = o.store.EventState(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, relay.StatusFailed, state.Status)
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=cancel", "").items(t), 1, "the client has left meanwhile")
}
