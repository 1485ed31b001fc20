package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/adapters/sandbox"
	"relay/api"
	"relay/internal/ops"
	"relay/internal/relay"
)

// testMode is a platform with a test mode, and with a limit to the age of events.
type testMode struct{ sandbox.Adapter }

func (a testMode) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if e.Type == "rx_issued" {
		return relay.Request{}, relay.Skip(relay.ReasonNotMapped)
	}
	r, err := a.Adapter.Request(d, e)
	r.URL += "?token=" + d.Secrets["access_token"].Reveal()
	r.MaxAge = 7 * 24 * time.Hour
	return r, err
}

func (a testMode) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	if d.Settings["test_event_code"] == "" {
		return relay.Request{}, relay.Refuse(relay.ReasonMissingField, "test_event_code")
	}
	return a.Request(d, e)
}

// operated is an API with operations on events, on a real database, with two storefronts.
type operated struct {
	*administered
	ops            *api.Ops
	runner         *runner
	replies        []relay.Response
	sent           []relay.Request
	bosley, pfizer int64
	temporal       ops.TemporalReport
	system         *api.System
	config         api.Config
	all            api.Deps
}

// stopped is the channel of a process that is about to stop.
func stopped() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func newOpsTest(t testing.TB) *operated {
	t.Helper()
	o := &operated{administered: newAdminTest(t)}
	o.runner = &runner{}
	deps := o.deps()
	deps.Admin = adminOn(o.store)
	o.ops = &api.Ops{
		Events: o.store, Cancels: o.store, Canceller: o.runner, Configs: o.store, Replays: o.store, Runner: o.runner, Destinations: o.store, Erasures: o.store, Eraser: o.runner,
		Adapters: adapters.All(),
		Policy:   relay.Policy{MaxAttempts: 5, Base: time.Minute},
		Send: func(_ context.Context, r relay.Request) relay.Response {
			o.sent = append(o.sent, r)
			reply := o.replies[0]
			o.replies = o.replies[1:]
			return reply
		},
		EventURL:  func(id int64) string { return fmt.Sprintf("https://temporal.example.com/deliver-event:%d", id) },
		ReplayURL: func(int64) string { return "" }, ErasureURL: func(id int64) string { return fmt.Sprintf("https://temporal.example.com/erase-events:%d", id) },
	}
	o.ops.Adapters["vendor"], o.ops.Adapters["other"] = testMode{}, sandbox.Adapter{}
	deps.Ops = o.ops
	deps.Live, deps.Stopping = o.store, stopped() // its stream ends at once; see live_test.go
	o.system = &api.System{Version: "v1", StartedAt: time.Now(), Namespace: "default", TaskQueue: "relay", Store: o.store,
		Settings: []api.Setting{{Name: "POLL_INTERVAL", Value: "1s", IsSet: true}, {Name: "DATABASE_URL", Secret: true, IsSet: true}},
		Temporal: func(context.Context) ops.TemporalReport { return o.temporal }}
	deps.System = o.system
	o.config = api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password), Admins: []api.AdminLogin{
		{Name: anna[0], Password: relay.NewSecret(anna[1])},
		{Name: rita[0], Password: relay.NewSecret(rita[1]), ReadOnly: true},
	}, LiveEvery: 20 * time.Millisecond}
	o.all = deps
	handler, err := api.New(o.config, deps)
	require.NoError(t, err)
	o.handler = handler
	for code, id := range map[string]*int64{"bosley": &o.bosley, "pfizer": &o.pfizer} {
		r := o.call(http.MethodPost, "/admin/v1/storefronts", fmt.Sprintf(`{"storefront_id":%q,"name":%q,"is_active":true}`, code, code))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		*id = r.id()
	}
	return o
}

// event stores one and returns its row.
func (o *operated) event(storefront int64, order, kind, payload string) int64 {
	o.t.Helper()
	stored, err := o.store.InsertEvents(o.t.Context(), []relay.NewEvent{{EventID: order, OrderID: order, Type: kind, StorefrontID: storefront,
		StorefrontCode: map[int64]string{o.bosley: "bosley", o.pfizer: "pfizer"}[storefront], Payload: []byte(payload), Digest: sha256.Sum256([]byte(payload))}}, time.Second)
	require.NoError(o.t, err)
	return stored[0].ID
}

const person = `{"order_id":"o-1","email":"jo@example.com","order_revenue":80.790,"event_time":"2026-01-15T10:25:00Z"}`

// ended is an event that a run has ended so.
func (o *operated) ended(storefront int64, order string, status relay.Status, reason relay.Reason, ends ...relay.DeliveryResult) int64 {
	o.t.Helper()
	id := o.event(storefront, order, "purchase_completed", person)
	o.end(id, status, reason, ends...)
	return id
}

func (o *operated) end(id int64, status relay.Status, reason relay.Reason, ends ...relay.DeliveryResult) {
	o.t.Helper()
	ok, err := o.store.Take(o.t.Context(), id, "run")
	require.NoError(o.t, err)
	require.True(o.t, ok)
	require.NoError(o.t, o.store.Finish(o.t.Context(), id, "run", relay.EventOutcome{Status: status, Reason: reason, Detail: reason.Text(), Ends: ends}))
}

// as makes the calls that follow those of another login.
func (o *operated) as(login [2]string) *operated {
	other := *o.administered
	other.login = login
	return &operated{administered: &other, runner: o.runner, bosley: o.bosley, pfizer: o.pfizer}
}

func (r reply) items(t testing.TB) []map[string]any {
	t.Helper()
	require.Equal(t, http.StatusOK, r.status, r.text)
	var list []map[string]any
	for _, it := range r.body["items"].([]any) {
		list = append(list, it.(map[string]any))
	}
	return list
}

var refusedAtMeta = relay.DeliveryResult{Destination: "vendor", Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized, Status: 401}

func TestEventsAreFoundPageByPage(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for n := range 5 {
		o.ended(o.bosley, fmt.Sprint("b-", n), relay.StatusFailed, relay.ReasonExhausted)
	}
	o.ended(o.pfizer, "p-1", relay.StatusDelivered, "")
	r := o.call(http.MethodGet, "/admin/v1/events?storefront=bosley&status=failed&reason=exhausted&limit=2", "")
	require.Len(t, r.items(t), 2)
	require.Equal(t, "b-4", r.items(t)[0]["order_id"])
	require.NotContains(t, r.text, "jo@example.com")
	seen := 2
	for r.body["next_cursor"] != nil {
		r = o.call(http.MethodGet, "/admin/v1/events?storefront=bosley&status=failed&reason=exhausted&limit=2&cursor="+r.body["next_cursor"].(string), "")
		seen += len(r.items(t))
	}
	require.Equal(t, 5, seen)
	require.Len(t, o.call(http.MethodGet, "/admin/v1/events?order_id=p-1", "").items(t), 1)
	require.Len(t, o.as(rita).call(http.MethodGet, "/admin/v1/events?from=2020-01-01T00:00:00Z&status=failed,delivered", "").items(t), 6)
}

func TestBadQuestionsAreRefusedWithTheParameter(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for path, want := range map[string]string{
		"/admin/v1/events?storefront=nobody":                                     "unknown_storefront storefront",
		"/admin/v1/events?status=lost":                                           "invalid_parameter status[0]",
		"/admin/v1/events?limit=5000":                                            "invalid_parameter limit",
		"/admin/v1/events?cursor=x":                                              "invalid_parameter cursor",
		"/admin/v1/events?from=yesterday":                                        "invalid_parameter from",
		"/admin/v1/events?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z":     "invalid_value to",
		"/admin/v1/events?color=red":                                             "invalid_parameter color",
		"/admin/v1/events/x":                                                     "invalid_parameter id",
		"/admin/v1/stats?from=2020-01-01T00:00:00Z":                              "invalid_parameter from",
		"/admin/v1/stats?storefront=nobody":                                      "unknown_storefront storefront",
		"/admin/v1/replays?cursor=eyJpIjo1fQ":                                    "invalid_parameter cursor",
		"/admin/v1/events?destination=" + strings.Repeat("a", 60):                "invalid_parameter destination",
		"/admin/v1/events?order_id=" + strings.Repeat("1", 101):                  "invalid_parameter order_id",
		"/admin/v1/events?status=pending,pending,pending,pending,pending,failed": "invalid_parameter status",
	} {
		r := o.call(http.MethodGet, path, "")
		require.Equal(t, http.StatusUnprocessableEntity, r.status, path+" "+r.text)
		require.Equal(t, want, r.problem(), path)
	}
	for _, path := range []string{"/admin/v1/events/9", "/admin/v1/replays/9"} {
		require.Equal(t, http.StatusNotFound, o.call(http.MethodGet, path, "").status, path)
	}
}

func TestAnEventIsShownWithoutPersonsUnlessRevealed(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	id := o.event(o.bosley, "o-1", "purchase_completed", person)
	require.NoError(t, o.store.RecordSending(t.Context(), relay.Attempt{AttemptID: "a1", EventID: id, Destination: "vendor", Number: 1,
		Method: "POST", URL: "https://example.com/x", Body: `{"em":"[redacted]","value":80.790}`, AdapterVersion: "meta/1"}))
	require.NoError(t, o.store.CompleteAttempts(t.Context(), []relay.AttemptEnd{{AttemptID: "a1", Duration: time.Second,
		Result: relay.Result{Outcome: relay.Retry, Reason: relay.ReasonServerError, Status: 503}}}))
	path := fmt.Sprintf("/admin/v1/events/%d", id)
	r := o.as(rita).call(http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.NotContains(t, r.text, "jo@example.com")
	require.Contains(t, r.text, `"order_revenue":80.790`, "numbers are shown as they were written")
	require.Contains(t, r.body["workflow_url"], fmt.Sprint("deliver-event:", id))
	attempt := r.body["attempts"].([]any)[0].(map[string]any)
	require.Equal(t, "server_error", attempt["reason"])
	require.InDelta(t, 1000, attempt["duration_ms"], 0.1)

	const note = `{"note":"ticket \"7\": what did it hold?"}`
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, path+"/reveal", note).status)
	require.Equal(t, http.StatusForbidden, o.as([2]string{user, password}).call(http.MethodGet, path, "").status)
	for _, old := range []string{"true", "1", "false"} {
		r = o.call(http.MethodGet, path+"?reveal="+old, "")
		require.Equal(t, "invalid_parameter reveal", r.problem())
		require.Contains(t, r.body["detail"], "POST "+path+"/reveal")
		require.NotContains(t, r.text, "jo@example.com")
	}
	for body, problem := range map[string]string{`{}`: "missing_field note", `{"note":""}`: "invalid_value note", `{"note":" "}`: "missing_field note"} {
		require.Equal(t, problem, o.call(http.MethodPost, path+"/reveal", body).problem(), body)
	}
	require.Equal(t, http.StatusNotFound, o.call(http.MethodPost, "/admin/v1/events/99999/reveal", note).status)
	require.Empty(t, o.call(http.MethodGet, "/admin/v1/audit?action=reveal", "").items(t))
	r = o.call(http.MethodPost, path+"/reveal", note)
	require.Contains(t, r.text, "jo@example.com")
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
	line := o.call(http.MethodGet, "/admin/v1/audit?action=reveal", "").items(t)
	require.Len(t, line, 1)
	require.Equal(t, "anna", line[0]["actor"])
	require.Equal(t, []any{map[string]any{"field": "note", "to": `ticket "7": what did it hold?`}}, line[0]["changes"])
	require.NotContains(t, o.log.String(), "jo@example.com")
}
