package e2e_test

import (
	"context"
	"embed"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// brief holds the two statements of the brief, verbatim.
//
//go:embed testdata/*.sql
var brief embed.FS

// town is a system that many tests share, each with a storefront of its own. Two relays serve it, so that every event has
// two workers that could deliver it.
type town struct {
	*world
	one, two *harness.Relay
	bosley   int64
}

func TestTheWholePathOfAnEvent(t *testing.T) {
	t.Parallel()
	w := &town{world: newWorld(t)}
	w.bosley = w.storefrontAs(t, relay.Storefront{ID: 5, Code: "bosley", Name: "Bosley", Active: true})
	w.simulateVendors(t)
	w.one, w.two = w.relay(t, "one", "serve"), w.relay(t, "two", "serve")
	for name, test := range map[string]func(*testing.T, *town){
		"503, 503, 200 are three attempts, one and two seconds apart":             retriedOverHTTP,
		"the brief's two INSERT statements have three attempts each":              retriedFromSQL,
		"exhausted attempts fail the event and its workflow":                      exhausted,
		"sGTM switched off between two attempts sends the event to the platforms": rerouted,
		"an exhausted container fails over to the platforms, if so configured":    failedOver,
		"a retry sends only to the destination that failed":                       failedHalf,
		"undeliverable rows fail and delay no others":                             undeliverable,
		"a hundred undeliverable rows do not delay the next valid one":            behindBadRows,
		"an insert that OMS commits late is delivered, whatever its id":           committedLate,
		"a batch posted twice is delivered once":                                  postedTwice,
		"API and PollInbox starting the same rows deliver each once":              apiAndPollInbox,
		"error responses repeat no values of the request":                         quietErrors,
		"an event of a storefront that is switched off is skipped":                switchedOff,
		"a cancelled and a terminated delivery fail their rows":                   cancelledAndTerminated,
		"an event without a mapping or without consent is sent to no platform":    unmapped,
		"a neutral name hides the event's own; all platforms, one by one":         directly,
		"a signed webhook is verified by its receiver, attempt by attempt":        webhooks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

func retriedOverHTTP(t *testing.T, w *town) {
	w.storefront(t, "retried")
	w.respondWith(t, "/retried/", 503, 503)
	post(t, w.one, item("retried", "retried-1"))
	w.requireThreeAttempts(t, "retried-1")
	got := w.requests(t, "/retried/")
	require.Contains(t, got[0].Body, markPayload, "the container receives the payload")
	require.Equal(t, markHeader, got[0].Headers.Get("X-Api-Key"))
	require.Contains(t, got[0].Query, markSecret)
	w.record(t, deliver(w.delivered(t, "retried-1")), "delivered-after-retries")
}

// requireThreeAttempts waits for an event with the responses 503, 503, 200 under RETRY_BACKOFF_BASE=1.
func (w *world) requireThreeAttempts(t *testing.T, order string) {
	t.Helper()
	e := w.delivered(t, order)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
	sent := attemptsAt(e, relay.SGTM)
	for i, status := range []int{503, 503, 200} {
		require.Equal(t, status, sent[i].Result.Status)
		require.GreaterOrEqual(t, sent[i].Number, i+1)
	}
	for i, want := range []time.Duration{time.Second, 2 * time.Second} {
		gap := sent[i+1].StartedAt.Sub(sent[i].StartedAt.Add(sent[i].Duration))
		require.GreaterOrEqual(t, gap, want, "before attempt %d", i+2)
		// A tenth, plus the delay of a loaded machine: Temporal may lose a task on its way to a worker, which takes the time
		// of an attempt (15 s) and one more wait.
		require.Less(t, gap, want+want/10+45*time.Second, "before attempt %d", i+2)
	}
}

// retriedFromSQL runs both statements on one database, and deletes the first one's row in between.
func retriedFromSQL(t *testing.T, w *town) {
	conn, err := w.sql.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), "SET time_zone = '+09:00'")
	require.NoError(t, err)
	for i, file := range []string{"testdata/insert-by-id.sql", "testdata/insert-by-code.sql"} {
		w.respondWith(t, "/bosley/", 503, 503)
		statement, err := brief.ReadFile(file)
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), string(statement))
		require.NoError(t, err)
		e := w.wait(t, "2025020100003333", harness.Final)
		require.Equal(t, "bosley", e.StorefrontCode)
		require.Less(t, time.Since(e.CreatedAt).Abs(), bound, "created_at is in UTC, whatever the session's time zone")
		require.Len(t, w.requests(t, "/bosley/"), 3*(i+1))
		require.Contains(t, w.requests(t, "/bosley/")[3*i].Body, `80.79`)
		_, err = conn.ExecContext(t.Context(), string(statement))
		require.ErrorContains(t, err, "Duplicate entry", "an event is in the inbox once")
		if i == 0 { // the same event again, by its code
			require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
			w.requireThreeAttempts(t, "2025020100003333")
			w.exec(t, "DELETE FROM marketing_events WHERE id = ?", e.ID)
			continue
		}
		require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
		require.Equal(t, int64(5), w.bosley)
		require.Equal(t, 5, w.count(t, "SELECT storefront_id FROM marketing_events WHERE id = ?", e.ID), "the code was resolved and written back")
	}
}

func exhausted(t *testing.T, w *town) {
	w.storefront(t, "exhausted")
	w.always(t, "/exhausted/", sandbox.Answer{Status: 503, Body: markVendor})
	post(t, w.two, item("exhausted", "exhausted-1"))
	e := w.wait(t, "exhausted-1", harness.Final)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonExhausted, e.Reason)
	require.Len(t, outcomes(e, relay.SGTM), 5)
	require.Len(t, w.requests(t, "/exhausted/"), 5)
	w.requireARowForEveryRequest(t, e)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_FAILED, w.closed(t, deliver(e)), "the Web UI's own filter finds it")
	w.record(t, deliver(e), "failed-exhausted")
}

func rerouted(t *testing.T, w *town) {
	id := w.storefront(t, "moved")
	require.NoError(t, w.AddPlatform(t.Context(), id, "moved", "sandbox"))
	w.always(t, "/moved/mp/", sandbox.Answer{Status: 503, Body: markVendor})
	post(t, w.one, item("moved", "moved-1"))
	w.wait(t, "moved-1", func(e ops.EventDetail) bool {
		return slices.Contains(outcomes(e, relay.SGTM), relay.Retry)
	})
	require.NoError(t, seed.On(w.Store).SetSGTMActive(t.Context(), id, false))
	e := w.delivered(t, "moved-1")
	atSGTM := outcomes(e, relay.SGTM)
	require.Equal(t, relay.Blocked, atSGTM[len(atSGTM)-1])
	require.NotContains(t, atSGTM[:len(atSGTM)-1], relay.Blocked)
	require.Len(t, w.requests(t, "/moved/mp/"), len(atSGTM)-1)
	require.Less(t, len(atSGTM), 5, "it was rerouted at once, not after its last attempt")
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "sandbox"))
	require.Len(t, w.requests(t, "/moved/platform/sandbox"), 1)
	for _, r := range w.requests(t, "/moved/") {
		require.Equal(t, dedupID(e), r.Key, "every destination receives the same id")
	}
	w.record(t, deliver(e), "rerouted")
}

// failedOver covers events whose container stays down: with on_exhausted=direct the platforms receive them under the
// same id, and an event that none of them accepts has failed.
func failedOver(t *testing.T, w *town) {
	for _, code := range []string{"handed", "alone"} {
		id := w.storefront(t, code)
		w.always(t, "/"+code+"/mp/", sandbox.Answer{Status: 503, Body: markVendor})
		w.exec(t, "UPDATE storefront_sgtm_config SET on_exhausted = 'direct' WHERE storefront_id = ?", id)
		if code == "handed" {
			require.NoError(t, w.AddPlatform(t.Context(), id, code, "sandbox"))
		}
	}
	post(t, w.two, item("handed", "handed-1"), item("alone", "alone-1"))
	e := w.delivered(t, "handed-1")
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Retry, relay.Retry, relay.Retry}, outcomes(e, relay.SGTM))
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "sandbox"))
	require.Contains(t, e.Detail, "sgtm: no attempts left (exhausted), last response 503")
	for _, r := range w.requests(t, "/handed/") {
		require.Equal(t, dedupID(e), r.Key, "every destination receives the same id")
	}
	alone := w.wait(t, "alone-1", harness.Final)
	require.Equal(t, relay.StatusFailed, alone.Status, "no platform accepted it")
	require.Equal(t, relay.ReasonExhausted, alone.Reason)
	require.Len(t, w.requests(t, "/alone/"), 5)

	// After twenty failures in a row the container is unhealthy: its events do not wait for further attempts.
	w.exec(t, `UPDATE destination_health SET failures = 20, unhealthy_since = UTC_TIMESTAMP(6), probe_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR
		WHERE destination = 'sgtm' AND storefront_id IN (SELECT id FROM storefronts WHERE storefront_id IN ('handed', 'alone'))`)
	before := len(w.requests(t, "/handed/mp/"))
	post(t, w.one, item("handed", "handed-2"), item("alone", "alone-2"))
	e = w.delivered(t, "handed-2")
	require.Empty(t, outcomes(e, relay.SGTM))
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "sandbox"))
	require.Contains(t, e.Detail, "destination_unhealthy")
	require.Len(t, w.requests(t, "/handed/mp/"), before)
	alone = w.wait(t, "alone-2", harness.Final)
	require.Equal(t, relay.StatusFailed, alone.Status)
	require.Equal(t, relay.ReasonUnhealthy, alone.Reason)
}

func failedHalf(t *testing.T, w *town) {
	id := w.storefront(t, "half")
	require.NoError(t, seed.On(w.Store).SetSGTMActive(t.Context(), id, false))
	require.NoError(t, w.AddPlatform(t.Context(), id, "half", "sandbox"))
	require.NoError(t, w.AddPlatform(t.Context(), id, "half", "sandbox_b"))
	w.respondWith(t, "/half/platform/sandbox_b", 400)
	post(t, w.two, item("half", "half-1"))
	e := w.wait(t, "half-1", harness.Final)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "sandbox"))
	require.Equal(t, []relay.Outcome{relay.Rejected}, outcomes(e, "sandbox_b"))

	again, err := w.Store.RetryEvent(t.Context(), e.ID)
	require.NoError(t, err)
	require.True(t, again.Retried)
	e = w.delivered(t, "half-1")
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "sandbox"), "it accepted the event before")
	require.Equal(t, []relay.Outcome{relay.Rejected, relay.Accepted}, outcomes(e, "sandbox_b"))
	require.Len(t, w.requests(t, "/half/platform/sandbox"), 1+2, "the path is also a prefix of the other's")
	require.Len(t, w.requests(t, "/half/platform/sandbox_b"), 2)
	require.Empty(t, w.requests(t, "/half/mp/"))
	w.record(t, deliver(e), "failed-half-retried")
}

func switchedOff(t *testing.T, w *town) {
	id := w.storefront(t, "off")
	require.NoError(t, seed.On(w.Store).SetStorefrontActive(t.Context(), id, false))
	post(t, w.one, item("off", "off-1"))
	e := w.wait(t, "off-1", harness.Final)
	require.Equal(t, relay.StatusSkipped, e.Status)
	require.Equal(t, relay.ReasonStorefrontDisabled, e.Reason)
	require.Empty(t, w.requests(t, "/off/"))
	w.record(t, deliver(e), "skipped")
}

func quietErrors(t *testing.T, w *town) {
	unknown := item("unknown", "quiet-1")
	late := item("bosley", "quiet-2")
	late["event_time"] = markEmail
	bodies := [][]byte{
		harness.Batch(unknown), harness.Batch(late),
		[]byte(`{"data": [{"email": "` + markEmail + `", "first_name": ` + markName + `}]}`),
		[]byte(markPayload),
	}
	for _, body := range bodies {
		status, response, err := w.one.Do(t.Context(), http.MethodPost, "/v1/events", body)
		require.NoError(t, err)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, status)
		requireClean(t, "the response", response)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.one.URL+"/v1/events", http.NoBody)
	require.NoError(t, err)
	request.SetBasicAuth("oms", markPassword+"?")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("WWW-Authenticate"))
}
