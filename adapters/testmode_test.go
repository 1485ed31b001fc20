package adapters_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/ga4"
	"relay/adapters/meta"
	"relay/adapters/pinterest"
	"relay/adapters/snapchat"
	"relay/adapters/tiktok"
	"relay/internal/relay"
)

func TestEveryPlatformHasItsVendorsTestMode(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	event := relay.Event{EventID: "1", Type: "purchase_completed", Source: relay.SourceAPI, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Active: true, Currency: "USD", BaseURL: "https://bosley.example.com/"},
		Payload: relay.Payload{"order_id": []byte(`"1"`), "order_revenue": []byte("1.00"), "email": []byte(`"relay-test@example.com"`),
			"client_ip": []byte(`"203.0.113.10"`), "user_agent": []byte(`"Mozilla/5.0"`), "page_location": []byte(`"https://bosley.example.com/"`)}}
	for name, c := range map[string]struct {
		adapter  relay.Adapter
		settings map[string]string
		secret   string
		inURL    string
		inBody   string
	}{
		"meta":      {meta.Adapter{}, map[string]string{"pixel_id": "123", "test_event_code": "TEST1"}, "access_token", "/events", `"test_event_code":"TEST1"`},
		"tiktok":    {tiktok.Adapter{}, map[string]string{"pixel_code": "C1", "test_event_code": "TEST1"}, "access_token", "", `"test_event_code":"TEST1"`},
		"ga4":       {ga4.Adapter{}, map[string]string{"measurement_id": "G-ABC123"}, "api_secret", "/debug/mp/collect", ""},
		"snapchat":  {snapchat.Adapter{}, map[string]string{"pixel_id": "p1"}, "access_token", "/events/validate", ""},
		"pinterest": {pinterest.Adapter{}, map[string]string{"ad_account_id": "123"}, "access_token", "?test=true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tester, ok := c.adapter.(relay.TestMode)
			require.True(t, ok)
			d := relay.Destination{Key: name, Settings: c.settings, Secrets: map[string]relay.Secret{c.secret: relay.NewSecret("token")},
				Options: relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true}}
			r, err := tester.TestRequest(d, event)
			require.NoError(t, err)
			require.Contains(t, r.URL, c.inURL)
			require.Contains(t, string(r.Body), c.inBody)
			live, err := c.adapter.Request(d, event)
			require.NoError(t, err)
			require.True(t, c.settings["test_event_code"] != "" || live.URL != r.URL, "the live request has another address")
			if c.settings["test_event_code"] != "" {
				d.Settings = map[string]string{}
				_, err = tester.TestRequest(d, event)
				require.Error(t, err, "without a code it would be a live event")
			}
		})
	}
}
