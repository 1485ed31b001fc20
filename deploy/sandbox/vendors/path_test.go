package vendors_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/adapters/outbound"
	"relay/deploy/dev/demo"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// sale is a purchase of now by a person whom every platform can match.
func sale(t *testing.T, policy relay.DataPolicy) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(`{"order_id":"o-1","order_revenue":80.790,"currency":"USD","email":"Jane.Doe+rx@gmail.com","phone":"+14155550132",
		"first_name":"Jane","last_name":"Doe","country":"US","external_id":"cust_9","client_ip":"203.0.113.9","user_agent":"Mozilla/5.0","num_items":2,
		"gclid":"EAIaIQ","rdt_cid":"c-1","_rdt_uuid":"1754915740517.70d79c3a-f35a-4733-92d1-b6c196544886","page_location":"https://brio.example/thanks?a=1",
		"items":[{"sku":"s-1","quantity":2,"price":40.395,"item_name":"Soap"}],"consent":{"ad_storage":"granted","ad_user_data":"granted"}}`))
	require.NoError(t, err)
	now := time.Now().UTC()
	return relay.Event{EventID: "o-1", Type: "purchase_completed", Source: relay.SourceAPI, CreatedAt: now, Now: now, Payload: p,
		Storefront: relay.Storefront{Code: "brio", BaseURL: "https://brio.example", DataPolicy: policy, PhoneRegion: "US"}}
}

// What the adapter of a platform makes is what its played vendor takes, under both data policies, live and as a test.
func TestVendorsTakeWhatTheirAdaptersMake(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(sandbox.New(sandbox.Options{Play: vendors.Play}))
	t.Cleanup(s.Close)
	client := outbound.New(outbound.Config{AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(client.Close)
	all := adapters.All()
	for _, code := range []string{"google_ads", "reddit"} {
		for _, policy := range []relay.DataPolicy{relay.DataPolicyHealth, relay.DataPolicyStandard} {
			d, a := destination(s.URL, code), all[code]
			live, err := a.Request(d, sale(t, policy))
			require.NoError(t, err, code)
			test, err := a.(relay.TestMode).TestRequest(d, sale(t, policy))
			require.NoError(t, err, code)
			for _, r := range []relay.Request{live, test} {
				res := a.Outcome(client.Send(t.Context(), r.For(d)))
				require.Equal(t, relay.Accepted, res.Outcome, "%s under %s: %+v: %s", code, policy, res, r.Body)
			}
			require.NotEqual(t, string(live.Body), string(test.Body), code)
		}
	}
}

// destination is the demo's account at a platform.
func destination(sandboxURL, code string) relay.Destination {
	c := demo.Account(sandboxURL, code)
	d := relay.Destination{Key: code, Options: c.Options, Secrets: c.Fields, Settings: map[string]string{"api_base_url": sandboxURL + vendors.Prefix + code, "test_id": "t2_test"}}
	for name, value := range c.Fields {
		d.Settings[name] = value.Reveal()
	}
	return d
}

// The relay's outcomes are those of the vendors' own refusals.
func TestAdaptersReadTheVendorsRefusals(t *testing.T) {
	t.Parallel()
	all := adapters.All()
	for _, c := range []struct {
		code    string
		answer  sandbox.Answer
		outcome relay.Outcome
		reason  relay.Reason
		after   time.Duration
	}{
		{"google_ads", vendors.GoogleThrottled("Minute"), relay.Retry, relay.ReasonThrottled, 0},
		{"google_ads", vendors.GoogleThrottled("Day"), relay.Retry, relay.ReasonThrottled, 6 * time.Hour},
		{"google_ads", vendors.GoogleExpired(), relay.Unauthorized, relay.ReasonUnauthorized, 0},
		{"google_ads", vendors.GoogleRefusal(400, "INVALID_ARGUMENT", "INVALID_CURRENCY_CODE"), relay.Rejected, relay.ReasonBadRequest, 0},
		{"google_ads", vendors.GoogleRefusal(400, "INVALID_ARGUMENT", "INVALID_CONVERSION_ACTION_TYPE"), relay.Unauthorized, relay.ReasonVendorPermission, 0},
		{"google_ads", vendors.GoogleRefusal(403, "PERMISSION_DENIED", ""), relay.Unauthorized, relay.ReasonUnauthorized, 0},
		{"reddit", vendors.RedditThrottled(), relay.Retry, relay.ReasonThrottled, 0},
		{"reddit", vendors.RedditInvalid(), relay.Rejected, relay.ReasonVendorRejected, 0},
	} {
		res := all[c.code].Outcome(relay.Response{Sent: true, Repeatable: true, Status: c.answer.Status, Body: []byte(c.answer.Body)})
		require.Equal(t, c.outcome, res.Outcome, c.answer.Body)
		require.Equal(t, c.reason, res.Reason, c.answer.Body)
		require.Equal(t, c.after, res.RetryAfter, c.answer.Body)
	}
}
