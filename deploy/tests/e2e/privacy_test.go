package e2e_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/ops"
	"relay/internal/relay"
)

// simulateVendors sets the platforms' address to the sandbox's simulated platforms, which check the form of a request.
func (w *world) simulateVendors(t *testing.T) {
	t.Helper()
	for _, code := range vendors.Codes() {
		w.exec(t, "UPDATE ad_analytics_platforms SET api_base_url = ? WHERE code = ?", w.Sandbox.BaseURL+vendors.Prefix+code, code)
	}
}

// credentials creates credentials of a storefront without a container at each of these platforms.
func (w *world) credentials(t *testing.T, code string, o relay.Options, platforms ...string) {
	t.Helper()
	id, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: code, Name: code, Active: true, BaseURL: "https://" + code + ".example"})
	require.NoError(t, err)
	for _, platform := range platforms {
		c := w.account(platform)
		ids, agreement := c.Options.Events, c.Options.PlainIdentifiers
		c.Options = o
		if o.Identifiers != "" {
			c.Options.PlainIdentifiers = agreement
		}
		if o.Events == nil {
			c.Options.Events = ids
		} else {
			c.Options.Events = map[string]relay.EventRule{"rx_issued": {Name: demo.NeutralName(platform, "rx_issued")}}
		}
		require.NoError(t, seed.On(w.Store).PutCredential(t.Context(), id, c))
	}
}

// withPerson returns an event with all personal fields.
func withPerson(storefront, order, name string) harness.Item {
	i := item(storefront, order)
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

// ended waits for the end of an event of a type.
func (w *world) ended(t *testing.T, order, eventType string) ops.EventDetail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	e, err := w.WaitEvent(ctx, order, eventType, harness.Final)
	require.NoError(t, err)
	return e
}

// atVendors returns the requests of an event at the vendors. Google knows it by the hash of its order.
func (w *world) atVendors(t *testing.T, e ops.EventDetail) []sandbox.Request {
	t.Helper()
	order := relay.ShortHash(e.StorefrontCode + ":order_id:" + e.OrderID)
	return slices.DeleteFunc(w.requests(t, vendors.Prefix), func(r sandbox.Request) bool {
		return !strings.Contains(r.Body, dedupID(e)) && !strings.Contains(r.Body, `"transactionId":"`+order)
	})
}

// unmapped covers a fresh storefront with every credential: it sends nothing of an unmapped event, or of a shopper who
// denied consent, however many personal fields it has.
func unmapped(t *testing.T, w *town) {
	w.credentials(t, "fresh", relay.Options{}, vendors.Codes()...)
	denied := withPerson("fresh", "fresh-denied", purchase)
	denied["consent"] = "denied"
	post(t, w.one, withPerson("fresh", "fresh-unknown", "refill_requested"), withPerson("fresh", "fresh-rx", "rx_issued"), denied)
	for order, want := range map[string]struct {
		eventType string
		reason    relay.Reason
	}{
		"fresh-unknown": {"refill_requested", relay.ReasonNotMapped},
		"fresh-rx":      {"rx_issued", relay.ReasonNotMapped},
		"fresh-denied":  {purchase, relay.ReasonConsentDenied},
	} {
		e := w.ended(t, order, want.eventType)
		require.Equal(t, relay.StatusSkipped, e.Status, e.Detail)
		require.Equal(t, want.reason, e.Reason)
		for _, code := range vendors.Codes() {
			require.Equal(t, []relay.Outcome{relay.Skipped}, outcomes(e, code), "%s at %s", order, code)
		}
		require.Empty(t, w.atVendors(t, e))
	}
}

// directly runs renamed and allAtOnce first, which use every platform that the sandbox simulates. Each of the others scripts one of them.
func directly(t *testing.T, w *town) {
	renamed(t, w)
	allAtOnce(t, w)
	for name, test := range map[string]func(*testing.T, *town){
		"GA4":         unseen,
		"Google Ads":  toGoogleAds,
		"LinkedIn":    toLinkedIn,
		"Reddit":      toReddit,
		"Segment":     toSegment,
		"RudderStack": toRudderStack,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
	for _, v := range vendorPaths {
		t.Run(v.code, func(t *testing.T) {
			t.Parallel()
			v.wholePath(t, w)
		})
	}
}

// renamed covers an event with a neutral name set by an admin: its own name is in no request and in no record of one.
func renamed(t *testing.T, w *town) {
	w.credentials(t, "renamed", relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true, KeepURLQuery: true,
		Events: map[string]relay.EventRule{}}, vendors.Codes()...)
	i := withPerson("renamed", "renamed-1", "rx_issued")
	i["page_location"], i["utm_campaign"], i["t-value"] = "https://renamed.example/rx_issued?step=rx_issued", "spring_rx_issued", "RX-Issued"
	post(t, w.two, i)
	e := w.ended(t, "renamed-1", "rx_issued")
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	got := w.atVendors(t, e)
	require.Len(t, got, len(vendors.Codes()))
	for _, r := range got {
		require.NotRegexp(t, `(?i)rx.?issued`, r.Path+r.Query+r.Body)
		require.NotContains(t, r.Body, markEmail)
	}
	require.Zero(t, w.count(t, `SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND
		LOWER(CONCAT_WS(' ', url, request_body, detail)) REGEXP 'rx.?issued'`, e.ID))
	require.Equal(t, len(vendors.Codes()), w.count(t, `SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND
		dropped_fields LIKE '%utm_campaign%'`, e.ID), "the withheld fields are recorded by name")
}

// unseen covers lost responses of GA4: a purchase is sent again, because GA4 deduplicates it by its order; any other event
// is not, because it would count twice.
func unseen(t *testing.T, w *town) {
	w.credentials(t, "unseen", relay.Options{}, "ga4")
	w.always(t, vendors.Prefix+"ga4/", sandbox.Answer{Action: sandbox.ActionReset})
	post(t, w.one, withPerson("unseen", "unseen-1", "consult_started"))
	e := w.ended(t, "unseen-1", "consult_started")
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnknown, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unknown}, outcomes(e, "ga4"))
	require.Len(t, w.atVendors(t, e), 1)

	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: vendors.Prefix + "ga4/", Answers: []sandbox.Answer{{Action: sandbox.ActionReset}}}))
	post(t, w.one, withPerson("unseen", "unseen-2", purchase))
	e = w.ended(t, "unseen-2", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, "ga4"))
	require.Len(t, w.atVendors(t, e), 2)
}
