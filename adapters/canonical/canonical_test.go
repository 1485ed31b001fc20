package canonical_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

var rules = canonical.Rules{Names: map[string]string{"purchase_completed": "Purchase"}, MaxAge: 7 * 24 * time.Hour}

// jane is a person one can picture; every field differs from every other.
const jane = `{
	"event_name": "purchase_completed", "event_time": "2026-11-23T07:59:00Z", "order_id": "order_123", "storefront_id": "bosley",
	"order_revenue": "80.79", "currency": "eur", "t-value": "bosleyaffiliate_0123", "session_id": "Sess_456",
	"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "utm_term": "hair loss", "utm_content": "banner",
	"page_location": "https://u:p@bosley.example/thanks?email=jane%40example.com#top",
	"email": "Jane.Doe+rx@Example.com", "phone": "(415) 555-0132", "first_name": "Jane", "last_name": "O'Doe",
	"city": "San Francisco", "state": "California", "zip": "94107-1234", "country": "United States", "gender": "Female",
	"dob": "1990-01-02", "external_id": "Cust_77", "client_ip": "203.0.113.9", "user_agent": "UA/1", "fbclid": "AbC",
	"diagnosis": "alopecia"
}`

func event(t *testing.T, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	return relay.Event{
		EventID: "order_123", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", BaseURL: "https://bosley.example", DataPolicy: relay.DataPolicyStandard},
	}
}

func open(t *testing.T, payload string, o relay.Options) *canonical.Fields {
	t.Helper()
	f, err := canonical.Open(relay.Destination{Options: o}, event(t, payload), rules)
	require.NoError(t, err)
	return f
}

func requireRefusal(t *testing.T, want relay.Refusal, err error) {
	t.Helper()
	var got *relay.Refusal
	require.ErrorAs(t, err, &got)
	require.Equal(t, want, *got)
}

func TestOnlyMappedEventsHaveAName(t *testing.T) {
	t.Parallel()
	admin := relay.Destination{Options: relay.Options{Events: map[string]relay.EventRule{
		"rx_issued": {Name: " Step3 "}, "consult_started": {Skip: true}, "refund": {},
	}}}
	for _, c := range []struct {
		d           relay.Destination
		event, name string
		reason      relay.Reason
	}{
		{relay.Destination{}, "purchase_completed", "Purchase", ""},
		{relay.Destination{}, "rx_issued", "", relay.ReasonNotMapped},
		{relay.Destination{}, "", "", relay.ReasonNotMapped},
		{relay.Destination{}, "Purchase", "", relay.ReasonNotMapped},
		{admin, "rx_issued", "Step3", ""},
		{admin, "consult_started", "", relay.ReasonEventSkipped},
		{admin, "refund", "", relay.ReasonNotMapped},
		{admin, "purchase_completed", "Purchase", ""},
	} {
		name, err := canonical.Name(c.d, relay.Event{Type: c.event}, rules.Names)
		require.Equal(t, c.name, name)
		if c.reason != "" {
			requireRefusal(t, relay.Refusal{Reason: c.reason, Skip: true}, err)
		} else {
			require.NoError(t, err)
		}
	}
}

func TestConsentIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		consent                      string
		ads, analytics, personalized bool
	}{
		{`"granted"`, true, true, true},
		{`"denied"`, false, false, false},
		{`"DENIED "`, false, false, false},
		{`true`, true, true, true},
		{`false`, false, false, false},
		{`null`, true, true, true},
		{`""`, true, true, true},
		{`{}`, true, true, true},
		{`"revoked"`, false, false, false},
		{`7`, false, false, false},
		{`["granted"]`, false, false, false},
		{`{"marketing":false}`, false, false, false},
		{`{"security_storage":"granted"}`, true, true, true},
		{`{"ad_storage":"denied","analytics_storage":"granted"}`, false, true, true},
		{`{"ad_storage":"GRANTED","ad_user_data":false}`, false, true, true},
		{`{"ad_storage":true,"ad_user_data":"granted","ad_personalization":"denied"}`, true, true, false},
		{`{"ad_storage":"granted","analytics_storage":"DENIED"}`, true, false, true},
		{`{"ad_user_data":"perhaps"}`, false, true, true},
	} {
		e := event(t, `{"consent":`+c.consent+`}`)
		require.Equal(t, c.ads, canonical.ReadConsent(e).Ads() == nil, c.consent)
		require.Equal(t, c.analytics, canonical.ReadConsent(e).Analytics() == nil, c.consent)
		require.Equal(t, c.personalized, canonical.ReadConsent(e).Personalized(), c.consent)
	}
	requireRefusal(t, relay.Refusal{Reason: relay.ReasonConsentDenied, Skip: true}, canonical.ReadConsent(event(t, `{"consent":"denied"}`)).Ads())
	require.NoError(t, canonical.ReadConsent(event(t, `{}`)).Ads(), "silence does not deny")
}

func TestAnEventThatIsTooOldIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	old := event(t, `{"event_time":"2026-11-16T07:59:59Z"}`)
	requireRefusal(t, relay.Refusal{Reason: relay.ReasonTooOld, Field: "event_time"}, canonical.Age(relay.Destination{}, old, rules.MaxAge))
	longer := relay.Destination{Options: relay.Options{MaxAgeHours: 37 * 24}}
	require.NoError(t, canonical.Age(longer, old, rules.MaxAge))
	require.Equal(t, 37*24*time.Hour, canonical.Window(longer, rules.MaxAge))
	_, err := canonical.Open(relay.Destination{}, old, rules)
	require.Error(t, err)

	require.Equal(t, now.Add(-time.Minute), canonical.Time(event(t, jane)))
	require.Equal(t, now, canonical.Time(event(t, `{"event_time":"2026-11-23T08:00:05Z"}`)), "no platform accepts a time in the future")
}

func TestAnEventWithoutAReadablePayloadIsRefused(t *testing.T) {
	t.Parallel()
	_, err := canonical.Open(relay.Destination{}, relay.Event{Type: "purchase_completed"}, rules)
	requireRefusal(t, relay.Refusal{Reason: relay.ReasonInvalidPayload, Field: "event_payload"}, err)
}

func TestAFieldThatNoAdapterReadsIsDropped(t *testing.T) {
	t.Parallel()
	f := open(t, `{"event_name":"purchase_completed","event_time":"soon","order_id":"1","diagnosis":"x","utm_source":"google"}`, relay.Options{})
	require.Equal(t, "1", f.OrderID())
	require.Equal(t, []string{"diagnosis", "event_time", "utm_source"}, f.Dropped())
	require.Equal(t, "google", f.Text("utm_source"))
	require.Equal(t, []string{"diagnosis", "event_time"}, f.Dropped())
}

func TestTheAdminNarrowsTheFieldsThatAreSent(t *testing.T) {
	t.Parallel()
	f := open(t, jane, relay.Options{Deny: []string{"utm_source", "order_id", "storefront_id", "currency"}})
	require.Equal(t, canonical.Campaign{UTMMedium: "cpc", UTMCampaign: "spring", AffiliateID: "bosleyaffiliate_0123"}, f.Campaign())
	require.Empty(t, f.OrderID())
	require.Empty(t, f.Storefront())
	f = open(t, jane, relay.Options{Allow: []string{"utm_term", "utm_source", "order_revenue"}})
	require.Equal(t, canonical.Campaign{UTMSource: "google", UTMTerm: "hair loss"}, f.Campaign())
	value, currency, err := f.Money()
	require.NoError(t, err)
	require.Equal(t, json.Number("80.79"), value)
	require.Equal(t, "EUR", currency, "euros do not become dollars because of an allow-list")
	require.Equal(t, "order_123", f.OrderID())
	require.Equal(t, "bosley", f.Storefront())
}

func TestTextsThatIdentifyAPersonOrAnEventAreWithheld(t *testing.T) {
	t.Parallel()
	f := open(t, `{"utm_source":"jane@example.com","utm_medium":"purchase-completed","utm_campaign":"x"}`, relay.Options{})
	require.Equal(t, canonical.Campaign{UTMCampaign: "x"}, f.Campaign())
	e := event(t, `{"order_id":"order_123:purchase_completed"}`)
	f, err := canonical.Open(relay.Destination{}, e, rules)
	require.NoError(t, err)
	require.Empty(t, f.OrderID(), "the order's id repeats the event's own name")
	same := relay.Destination{Options: relay.Options{Events: map[string]relay.EventRule{e.Type: {Name: "Purchase_Completed"}}}}
	f, err = canonical.Open(same, e, rules)
	require.NoError(t, err)
	require.NotEmpty(t, f.OrderID(), "the admin chose to send the name")
}

func TestPublicPagesAreSentWithoutQuery(t *testing.T) {
	t.Parallel()
	whole := relay.Options{KeepURLQuery: true}
	for _, c := range []struct {
		payload string
		o       relay.Options
		want    string
	}{
		{jane, relay.Options{}, "https://bosley.example/thanks"},
		{jane, whole, "https://bosley.example/thanks"}, // the query holds a mail address
		{`{"page_url":"https://bosley.example/t?step=2#a"}`, relay.Options{}, "https://bosley.example/t"},
		{`{"page_url":"https://bosley.example/t?step=2#a"}`, whole, "https://bosley.example/t?step=2"},
		{`{"page_location":"/t","event_source_url":"https://bosley.example/e"}`, relay.Options{}, "https://bosley.example/e"},
		{`{"url":"https://bosley.example/jane@example.com"}`, relay.Options{}, "https://bosley.example"},
		{`{"url":"https://bosley.example/purchase%5Fcompleted/"}`, relay.Options{}, "https://bosley.example"},
		{`{"url":"javascript:alert(1)"}`, relay.Options{}, "https://bosley.example"},
		{`{"url":"https://bosley.example/u"}`, relay.Options{Deny: []string{"url"}}, "https://bosley.example"},
		{`{}`, relay.Options{}, "https://bosley.example"},
	} {
		require.Equal(t, c.want, open(t, c.payload, c.o).SourceURL(), c.payload)
	}
	require.Empty(t, open(t, `{"referrer":"https://search.example/?q=hair"}`, relay.Options{}).Referrer())
	require.Equal(t, "https://search.example/", open(t, `{"referrer":"https://search.example/?q=hair"}`, relay.Options{Allow: []string{"referrer"}}).Referrer())
}
