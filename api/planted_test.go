package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// planted is a payload with a mark under each of 200 names, at three depths, among what every reader may see.
func planted(t *testing.T) string {
	t.Helper()
	names := strings.Fields(`patient_name diagnosis mrn customer_ip billing_address_1 mobile insurance notes gender password ssn t-value
		utm_campaign utm_term utm_content coupon affiliate_id page_title page_referrer session_id client_id fbp gclid user_agent name email`)
	for len(names) < 200 {
		names = append(names, fmt.Sprintf("field_%d", len(names)))
	}
	body := map[string]any{"order_revenue": 80.79, "currency": "USD"}
	for i, name := range names {
		switch i % 4 {
		case 0:
			body[name] = "planted " + name
		case 1:
			body[name] = json.Number(fmt.Sprint(88_888_888_000 + i))
		case 2:
			body[name] = map[string]any{"value": "planted", "planted " + name: true}
		case 3:
			body[name] = []any{"planted", map[string]any{"currency": "planted"}}
		}
	}
	for _, holder := range []string{"items", "params", "consent", "custom_data"} {
		body[holder] = []any{map[string]any{"name": "planted", "sku": "planted", "quantity": 2, "data": map[string]any{"status": "planted", "x": 88_888_888_001}}}
	}
	body["page_url"] = "https://clinic.example/planted?planted=1#planted"
	body["jane@example.com"] = 1
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return string(text)
}

func TestAReaderSeesNothingThatIsPlantedInAnEvent(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	// The planted consent cannot be read, and a container that enforces it would be sent nothing.
	o.must(http.MethodPatch, fmt.Sprintf("/admin/v1/sgtm-configs/%d", container), `{"options":{"consent":"forward"}}`)
	text := planted(t)
	id := o.event(o.bosley, "o-1", "purchase_completed", text)
	// As an earlier version, which showed more, recorded it.
	require.NoError(t, o.store.RecordSending(t.Context(), relay.Attempt{AttemptID: "a1", EventID: id, Destination: "sgtm", Number: 1,
		Method: "POST", URL: "https://tags.example.com/collect?planted", Body: text, Dropped: []string{"zip", "jane@example.com"}}))
	reader := o.as(rita)
	for path, body := range map[string]string{
		"/admin/v1/events?order_id=o-1":           "",
		fmt.Sprintf("/admin/v1/events/%d", id):    "",
		"/admin/v1/preview":                       fmt.Sprintf(`{"id":%d}`, id),
		"/admin/v1/events?storefront=bosley":      "",
		"/admin/v1/stats?from=2026-01-01&days=30": "",
	} {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		r := reader.call(method, path, body)
		if strings.Contains(path, "/events/") || body != "" {
			require.Equal(t, http.StatusOK, r.status, r.text)
			require.Contains(t, r.text, `80.79`)
			require.Contains(t, r.text, `"USD"`)
		}
		for _, mark := range []string{"planted", "88888888", "jane@example"} {
			if i := strings.Index(r.text, mark); i >= 0 {
				require.Fail(t, path+" shows a mark", r.text[max(0, i-200):min(len(r.text), i+50)])
			}
		}
	}
	require.NotContains(t, o.log.String(), "planted")
}
