package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/relay"
)

// markOrder is an order's number: health data together with rx_issued. Temporal may hold it (TEMPORAL_SEARCH_IDS), and responses to OMS
// may repeat it; logs, metrics and traces may not hold it.
const markOrder = "planted-order-4711"

// call is a request with a planted value in it.
type call struct {
	method, path, body string
	header             map[string]string
	user, password     string
}

// TestPlantedSecretsAppearInNoOutput plants secrets and personal data in every input: items, rows, admin writes, paths,
// headers, logins, vendors' responses. The relays log at their most verbose level, count and trace. Their output is searched
// here and, for the marks of every test, when the world ends.
func TestPlantedSecretsAppearInNoOutput(t *testing.T) {
	t.Parallel()
	w := newWatchedWorld(t, "ADMIN_AUTH_USERNAME=root", "ADMIN_AUTH_PASSWORD="+markPassword)
	id := w.storefront(t, "planted")
	require.NoError(t, w.AddPlatform(t.Context(), w.storefrontAs(t, relay.Storefront{Code: "direct", Active: true}), "direct", sandbox.Platforms()[0]))
	require.NoError(t, seed.On(w.Store).SetSGTMActive(t.Context(), id+1, false))
	for _, path := range []string{"/planted/", "/direct/"} {
		rule := sandbox.Rule{Path: path}
		for _, status := range []int{503, 429, 302, 200, 400, 500, 404, 401} {
			rule.Answers = append(rule.Answers, sandbox.Answer{Status: status, Body: markVendor, Headers: map[string]string{
				"X-Trace": "marker-vendor-header", "Location": "https://marker-location.example", "Retry-After": "marker-retry"}})
		}
		require.NoError(t, w.Sandbox.Answer(t.Context(), rule))
	}
	api := w.relay(t, "api", "api")
	w.relay(t, "worker", "worker")

	w.plantEvents(t, api)
	for _, c := range plantedCalls() {
		response := ask(t, api, c)
		// A response may return its own event's id to OMS, and stored values without secrets to an admin, and no other planted
		// value.
		requireClean(t, fmt.Sprintf("the response to %s %s", c.method, c.path), []byte(strings.ReplaceAll(response, markOrder, "")))
	}
	for i := range 12 {
		w.wait(t, fmt.Sprint(markOrder, "-", i), harness.Final)
	}
	eventually(t, func() error {
		if len(w.traces.find("")) < 50 {
			return errNotYet
		}
		return nil
	})
	for _, r := range w.relays {
		log, err := os.ReadFile(r.LogFile())
		require.NoError(t, err)
		require.Contains(t, string(log), `"level":"DEBUG"`)
		requireWithout(t, "the log of "+r.Name(), log, []string{markOrder})
		requireWithout(t, "the metrics of "+r.Name(), []byte(metricsOf(t, r)), []string{markOrder})
	}
	requireWithout(t, "the traces", w.traces.all(), []string{markOrder})
}

// plantEvents sends events of every kind: accepted, refused, failed at a vendor, by HTTP and by SQL.
func (w *world) plantEvents(t *testing.T, api *harness.Relay) {
	t.Helper()
	for i := range 8 {
		storefront := []string{"planted", "direct"}[i%2]
		e := item(storefront, fmt.Sprint(markOrder, "-", i))
		for _, person := range []string{"last_name", "phone", "city", "user_agent", "client_ip", "gclid"} {
			e[person] = "marker-" + person
		}
		for _, field := range []string{"t-value", "utm_campaign", "page_location", "x_custom"} {
			e[field] = markPayload + field
		}
		e["utm_source"] = markPayload + " and a name" // a single word would be shown
		e["items"] = []any{map[string]any{"item_id": markPayload + "item", "item_name": markPayload + "drug"}}
		post(t, api, e)
	}
	for i := 8; i < 12; i++ {
		w.insert(t, "planted", fmt.Sprint(markOrder, "-", i))
	}
	w.exec(t, insertSQL, markOrder+"-json", "planted", purchase, `{"email": "`+markEmail)
}

func plantedCalls() []call {
	oms := func(c call) call { c.user, c.password = "oms", markPassword; return c }
	root := func(c call) call { c.user, c.password = "root", markPassword; return c }
	bad := func(field, value string) call {
		i := item("planted", markOrder+"-bad")
		i[field] = value
		return oms(call{method: http.MethodPost, path: "/v1/events", body: string(harness.Batch(i))})
	}
	marked := map[string]string{"User-Agent": "marker-agent", "Cookie": "id=marker-cookie", "X-Forwarded-For": "marker-address", "Referer": "https://marker-page.example",
		"X-Request-Id": markEmail, "traceparent": "00-marker-trace-01", "tracestate": "a=marker-state", "baggage": "a=marker-baggage", "Authorization": "Bearer marker-bearer"}
	return []call{
		bad("event_time", "marker-time"), bad("event_name", strings.Repeat("marker-name ", 20)), bad("storefront_id", "marker-storefront"),
		bad("order_revenue", "marker-revenue"), bad("storefront_id", strings.Repeat("marker-", 40)),
		oms(call{method: http.MethodPost, path: "/v1/events", body: `{"data": [{"email": "` + markEmail + `", `}),
		oms(call{method: http.MethodPost, path: "/v1/events", body: `{"data": "` + markEmail + `"}`}),
		oms(call{method: http.MethodPost, path: "/v1/events", body: "\xff" + markEmail}),
		oms(call{method: http.MethodPost, path: "/v1/events/status", body: `{"ids": "` + markEmail + `"}`}),
		oms(call{method: http.MethodGet, path: "/v1/events?order_id=marker-order&email=" + markEmail}),
		oms(call{method: http.MethodGet, path: "/marker-path/" + markEmail}),
		oms(call{method: "marker-method", path: "/v1/events"}),
		{method: http.MethodPost, path: "/v1/events?token=" + markSecret, body: "{}", header: marked},
		{method: http.MethodPost, path: "/v1/events", body: "{}", user: "marker-user", password: "marker-guess"},
		{method: http.MethodGet, path: "/admin/v1/storefronts", user: "root", password: "marker-guess"},
		root(call{method: http.MethodPost, path: "/admin/v1/sgtm-configs", body: `{"storefront_code": "planted", "sgtm_url": "https://marker-host.example:x",
			"api_secret": "` + markSecret + `", "custom_headers": {"X-Key": "` + markHeader + `"}}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/credentials", body: `{"storefront_code": "planted", "platform_code": "meta_capi",
			"credentials": {"pixel_id": "1234567890", "access_token": "` + markSecret + `"}}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/credentials", body: `{"storefront_code": "planted", "platform_code": "marker-platform",
			"credentials": {"marker_field": "` + markSecret + `"}}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/credentials", body: `{"credentials": "` + markSecret}),
		root(call{method: http.MethodGet, path: "/admin/v1/credentials"}),
		root(call{method: http.MethodGet, path: "/admin/v1/sgtm-configs"}),
		root(call{method: http.MethodGet, path: "/admin/v1/audit"}),
		root(call{method: http.MethodGet, path: "/admin/v1/events/marker-id"}),
		root(call{method: http.MethodPost, path: "/admin/v1/replays", body: `{"filter": {"order_id": "` + markEmail + `", "status": ["marker-status"]}}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/erasures", body: `{"external_id": "` + markEmail + `"}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/erasures", body: `{"order_id": "` + markEmail + `", "storefront": "planted"}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/erasures", body: `{"order_id": "` + markEmail + `", "external_id": "` + markPayload + `"}`}),
		root(call{method: http.MethodPost, path: "/admin/v1/erasures", body: `{"order_id": "` + markEmail + `", "storefront": "marker-storefront"}`}),
	}
}

// ask sends a request and returns the response with its headers.
func ask(t *testing.T, r *harness.Relay, c call) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), c.method, r.URL+c.path, strings.NewReader(c.body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for k, v := range c.header {
		request.Header.Set(k, v)
	}
	if c.user != "" {
		request.SetBasicAuth(c.user, c.password)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return fmt.Sprint(response.Status, response.Header, string(body))
}
