package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"relay"
	"relay/db"
	"relay/deploy/dev/harness"
	"relay/deploy/dev/vendors"
)

// unmapped shows what a fresh storefront with five credentials sends: of an event that nobody mapped, or of a shopper who
// denied consent, nothing, however much of a person is in it.
func unmapped(t *testing.T, w *town) {
	id, err := w.Store.CreateStorefront(t.Context(), relay.Storefront{Code: "fresh", Name: "Fresh", Active: true, BaseURL: "https://fresh.example"})
	require.NoError(t, err)
	for _, code := range vendors.Codes() {
		w.exec(t, "UPDATE ad_analytics_platforms SET api_base_url = ? WHERE code = ?", w.Sandbox.BaseURL+"/fresh/"+code, code)
		require.NoError(t, w.Store.PutCredential(t.Context(), id, db.Credential{Platform: code, Active: true, Fields: map[string]relay.Secret{
			"pixel_id": relay.NewSecret("1234567890"), "pixel_code": relay.NewSecret("CFRESH"), "ad_account_id": relay.NewSecret("549755885175"),
			"measurement_id": relay.NewSecret("G-FRESH"), "api_secret": relay.NewSecret(markSecret), "access_token": relay.NewSecret(markSecret),
		}}))
	}
	person := func(order, name string) harness.Item {
		i := item("fresh", order)
		i["event_name"] = name
		for field, value := range map[string]string{
			"phone": "+1 415 555 0132", "last_name": "Doe", "city": "San Francisco", "state": "CA", "zip": "94107", "country": "US",
			"gender": "f", "dob": "1990-01-02", "external_id": "patient-7", "client_ip": "203.0.113.9", "user_agent": "Mozilla/5.0",
			"fbp": "fb.1.1.2", "gclid": "g1", "ttclid": "t1", "page_location": "https://fresh.example/hair-loss?name=Jane",
		} {
			i[field] = value
		}
		return i
	}
	denied := person("fresh-denied", purchase)
	denied["consent"] = "denied"
	post(t, w.one, person("fresh-unknown", "refill_requested"), person("fresh-rx", "rx_issued"), denied)

	for order, want := range map[string]struct {
		eventType string
		reason    relay.Reason
	}{
		"fresh-unknown": {"refill_requested", relay.ReasonNotMapped},
		"fresh-rx":      {"rx_issued", relay.ReasonNotMapped},
		"fresh-denied":  {purchase, relay.ReasonConsentDenied},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		e, err := w.WaitEvent(ctx, order, want.eventType, harness.Final)
		cancel()
		require.NoError(t, err)
		require.Equal(t, relay.StatusSkipped, e.Status, e.Detail)
		require.Equal(t, want.reason, e.Reason)
		for _, code := range vendors.Codes() {
			require.Equal(t, []relay.Outcome{relay.Skipped}, outcomes(e, code), "%s at %s", order, code)
		}
	}
	require.Empty(t, w.requests(t, "/fresh/"))
}
