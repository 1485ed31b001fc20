package e2e_test

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/internal/relay"
)

func TestOneTraceCoversThePathFromThePostToTheResponse(t *testing.T) {
	t.Parallel()
	w := newWatchedWorld(t, "RETRY_BACKOFF_BASE=1")
	w.storefront(t, "traced")
	w.respondWith(t, "/traced/", 503) // so that another attempt follows, in an activity of its own
	api := w.relay(t, "api", "api")
	w.relay(t, "worker", "worker")

	const trace = "0af7651916cd43dd8448eb211c80319c"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api.URL+"/v1/events",
		bytes.NewReader(harness.Batch(item("traced", "traced-1"))))
	require.NoError(t, err)
	request.SetBasicAuth("oms", markPassword)
	request.Header.Set("traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	request.Header.Set("tracestate", "vendor=marker-state")
	request.Header.Set("baggage", "user="+markEmail)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	require.Equal(t, relay.StatusDelivered, w.wait(t, "traced-1", harness.Final).Status)

	const post, start, run = "POST /v1/events", "StartWorkflow:DeliverEvent", "RunWorkflow:DeliverEvent"
	for _, path := range [][]string{
		{post, start, run, "RunActivity:ResolveRoute", "send"},
		{post, run, "RunActivity:ResolveRoute", "UPDATE marketing_events"},
		{post, run, "RunActivity:Deliver", "send"},
		{post, run, "RunActivity:Finish"},
		{post, "INSERT marketing_events"},
		{post, "COMMIT"},
		{"RunActivity:ResolveRoute", "INSERT event_attempts"},
		{"RunActivity:Deliver", "INSERT event_attempts"},
	} {
		w.traces.waitPath(t, trace, path...)
	}
	// The vendor does not receive the trace.
	for _, r := range w.requests(t, "/traced/") {
		require.NotContains(t, r.Headers, "Traceparent")
	}
	// The lines of the log hold the trace id.
	log, err := os.ReadFile(w.relays[1].LogFile())
	require.NoError(t, err)
	require.Contains(t, string(log), `"trace_id":"`+trace+`"`)
}

func TestADirectRowHasATraceOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWatchedWorld(t)
	w.storefront(t, "rows")
	w.relay(t, "relay", "serve")
	for _, order := range []string{"rows-1", "rows-2"} {
		w.insert(t, "rows", order)
		require.Equal(t, relay.StatusDelivered, w.wait(t, order, harness.Final).Status)
	}
	traces := map[string]bool{}
	eventually(t, func() error {
		for _, s := range w.traces.find("") {
			if s.GetName() == "send" {
				traces[hex.EncodeToString(s.GetTraceId())] = true
			}
		}
		if len(traces) < 2 {
			return errNotYet
		}
		return nil
	})
	require.Len(t, traces, 2)
	for trace := range traces {
		spans := w.traces.waitPath(t, trace, "inbox", "StartWorkflow:DeliverEvent", "RunWorkflow:DeliverEvent", "send")
		require.NotContains(t, namesOf(spans), "RunActivity:PollInbox")
	}
}
