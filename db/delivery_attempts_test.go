package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func anAttempt(eventID int64) relay.Attempt {
	return relay.Attempt{
		AttemptID: strings.Repeat("a", 32), EventID: eventID, Generation: 1, Destination: "sgtm", Number: 2,
		StartedAt: time.Date(2026, 1, 15, 10, 25, 0, 123456789, time.FixedZone("", 5*3600)), Method: "POST", URL: "https://tags.upscript.com/mp/collect",
		HeaderNames: []string{"Content-Type", "X-Api-Key"}, Body: `{"client_id":"[redacted]"}`, BodySHA256: strings.Repeat("0", 64),
		AdapterVersion: "sgtm/1", Dropped: []string{"email"},
	}
}

func TestAttemptRecordsTheRequestAndThenTheResponse(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	a := anAttempt(f.direct("1", f.storefront("bosley")))
	require.NoError(t, f.RecordSending(t.Context(), a))
	require.NoError(t, f.RecordSending(t.Context(), a), "the response to the first was lost")
	row := `SELECT CONCAT_WS('|', generation, destination, number, outcome, COALESCE(reason, '-'), started_at, COALESCE(duration_us, '-'), method, url,
		header_names, request_body, request_sha256, adapter_version, dropped_fields, COALESCE(response_status, '-'), COALESCE(trace_id, '-'),
		COALESCE(response_fields, '-')) FROM event_attempts WHERE attempt_id = ?`
	left := `1|sgtm|2|sending|-|2026-01-15 05:25:00.123456|-|POST|https://tags.upscript.com/mp/collect|["Content-Type","X-Api-Key"]|` +
		`{"client_id":"[redacted]"}|` + strings.Repeat("0", 64) + `|sgtm/1|["email"]|-|-|-`
	require.Equal(t, left, f.text(row, a.AttemptID))

	end := relay.AttemptEnd{AttemptID: a.AttemptID, Duration: 1500 * time.Microsecond, Result: relay.Result{Outcome: relay.Retry,
		Reason: relay.ReasonServerError, Status: 503, TraceID: "trace", Fields: map[string]string{"code": "7"}}}
	require.NoError(t, f.CompleteAttempts(t.Context(), []relay.AttemptEnd{end, {AttemptID: "nobody's"}}))
	back := strings.NewReplacer("|sending|-|", "|retry|server_error|", "456|-|POST", "456|1500|POST", `|-|-|-`, `|503|trace|{"code":"7"}`).Replace(left)
	require.Equal(t, back, f.text(row, a.AttemptID))

	end.Result = relay.Result{Outcome: relay.NotSent}
	require.NoError(t, f.CompleteAttempts(t.Context(), []relay.AttemptEnd{end}))
	require.Equal(t, back, f.text(row, a.AttemptID), "the first result stays")
	require.NoError(t, f.CompleteAttempts(t.Context(), nil))
}

func TestADecisionWithoutARequestIsRecordedAsAnAttempt(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: "b", EventID: id, Destination: "meta_capi",
		Result: relay.Result{Outcome: relay.Skipped, Reason: relay.ReasonNotMapped}, Detail: "no event name is mapped"}))
	require.Equal(t, "skipped|not_mapped|0|no event name is mapped", f.text(`SELECT CONCAT_WS('|', outcome, reason, number, detail)
		FROM event_attempts WHERE marketing_event_id = ?`, id))
}

func TestAttemptFitsItsColumnsWithAnyResponse(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	a := anAttempt(f.direct("1", f.storefront("bosley")))
	a.URL, a.AdapterVersion, a.Method = "https://x/"+strings.Repeat("é", 3000), strings.Repeat("v", 300), strings.Repeat("P", 30)
	a.Detail, a.Body = strings.Repeat("d", 100_000), strings.Repeat("b", 300_000)
	require.NoError(t, f.RecordSending(t.Context(), a))
	require.NoError(t, f.CompleteAttempts(t.Context(), []relay.AttemptEnd{{AttemptID: a.AttemptID, Result: relay.Result{Outcome: relay.Accepted,
		TraceID: "\xff\x00" + strings.Repeat("€", 300), Fields: map[string]string{"x": strings.Repeat("\xff", 100_000)}}}}))
	require.Equal(t, 300_000, f.count("SELECT LENGTH(request_body) FROM event_attempts"))
}

func TestEventsOfAnOrderAreListedWithTheirAttempts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	direct := f.direct("order-1", bosley)
	e := newEvent(1, bosley, "bosley")
	e.OrderID = "order-1"
	api := f.insert([]relay.NewEvent{e})[0].ID
	f.direct("order-2", bosley)
	f.taken(direct, "run")
	a := anAttempt(direct)
	require.NoError(t, f.RecordSending(t.Context(), a))
	require.NoError(t, f.Finish(t.Context(), direct, "run", relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonUnknown, Detail: "why"}))

	events, err := f.EventsOfOrders(t.Context(), []string{"order-1", "order-3"})
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, []int64{direct, api}, []int64{events[0].ID, events[1].ID})
	require.Equal(t, []string{"order-1", "failed", "unknown", "why"},
		[]string{events[0].EventID, string(events[0].Status), string(events[0].Reason), events[0].Detail})
	require.Equal(t, "run", f.text("SELECT run_id FROM marketing_events WHERE id = ?", direct))
	attempts, err := f.Attempts(t.Context(), direct)
	require.NoError(t, err)
	require.Len(t, attempts, 1)
	require.Equal(t, relay.Sending, attempts[0].Result.Outcome)
	require.Equal(t, a.StartedAt.UTC().Truncate(time.Microsecond), attempts[0].StartedAt)
	attempts, err = f.Attempts(t.Context(), api)
	require.NoError(t, err)
	require.Empty(t, attempts)
	none, err := f.EventsOfOrders(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}
