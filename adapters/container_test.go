package adapters_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/ga4"
	"relay/adapters/sgtm"
	"relay/internal/relay"
)

// signals are consents of payloads, valid and malformed.
var signals = []string{
	``, `"consent": null`, `"consent": ""`, `"consent": {}`, `"consent": "granted"`, `"consent": "GRANTED"`, `"consent": true`, `"consent": "true"`, `"consent": 1`,
	`"consent": "yes"`, `"consent": "denied"`, `"consent": " Denied "`, `"consent": false`, `"consent": "false"`, `"consent": "no"`, `"consent": 0`,
	`"consent": "perhaps"`, `"consent": ["granted"]`, `"consent": [[]]`, `"consent": {"marketing": false}`, `"consent": {"marketing": true}`,
	`"consent": {"ad_storage": "denied"}`, `"consent": {"ad_user_data": "denied"}`, `"consent": {"ad_personalization": "denied"}`,
	`"consent": {"analytics_storage": "denied"}`, `"consent": {"analytics_storage": "granted"}`, `"consent": {"ad_storage": "granted", "analytics_storage": "granted"}`,
	`"consent": {"ad_storage": {}}`, `"consent": {"ad_storage": "maybe"}`, `"consent": {"ad_user_data": "GRANTED", "ad_personalization": "granted"}`,
	`"consent": {"ad_user_data": false, "analytics_storage": true}`, `"consent": {"functionality_storage": "denied"}`, `"consent_state": {"ad_storage": false}`,
	`"consent_state": "denied"`, `"consent_state": {"analytics_storage": false}`, `"ad_storage": "denied"`, `"ad_user_data": "denied"`,
	`"ad_personalization": false`, `"analytics_storage": "denied"`, `"analytics_storage": false`, `"marketing_consent": false`, `"marketing_consent": "yes"`,
	`"marketing_consent": "x"`, `"opt_out": true`, `"opt_out": "1"`, `"opt_out": false`, `"opt_out": "2026-01-01"`, `"do_not_sell": true`, `"do_not_sell": "no"`,
	`"do_not_sell": {}`, `"non_personalized_ads": true`, `"non_personalized_ads": 0`, `"limited_data_use": true`, `"limited_data_use": "?"`, `"gpc": 1`, `"gpc": "0"`,
	`"us_privacy": "1YYN"`, `"us_privacy": "1YNN"`, `"us_privacy": "1---"`, `"us_privacy": "x"`, `"data_processing_options": ["LDU"]`, `"data_processing_options": []`,
	`"data_processing_options": ["LDU"], "data_processing_options_country": 1, "data_processing_options_state": 1000`, `"data_processing_options": ["?"]`,
	`"consent": {"ad_storage": "granted", "marketing": false}`, `"consent": "granted", "opt_out": true`, `"consent": "granted", "gpc": true`, `"consent": "denied", "marketing_consent": true`, `"adStorage": "denied"`,
}

// contents are other parts of payloads: money, lines, pages and ids, valid and malformed.
var contents = []string{
	``, `"order_revenue": 80.79`, `"order_revenue": "80.790", "currency": "eur"`, `"order_revenue": "$80.79"`, `"order_revenue": "1,234.56"`, `"order_revenue": -1`,
	`"order_revenue": "-0.01"`, `"order_revenue": "free"`, `"order_revenue": 1e999`, `"order_revenue": 0`, `"order_revenue": "0x10"`, `"order_revenue": true`,
	`"order_revenue": []`, `"order_revenue": "NaN"`, `"value": 5`, `"value": "5 USD"`, `"value": -5`, `"order_revenue": 5, "currency": "DOLLARS"`,
	`"order_revenue": 5, "currency": "$"`, `"order_revenue": 5, "currency": 840`, `"order_revenue": 5, "currency": ["EUR"]`, `"order_revenue": 5, "currency": {"code": "EUR"}`,
	`"order_revenue": 5, "currency": true`, `"order_revenue": 5, "currency": " "`, `"currency": "x"`, `"tax": "1,5", "shipping": -2, "coupon": "A"`, `"tax": 1.50`,
	`"items": [{"sku": "s1", "qty": 2, "unit_price": "40.395", "name": "Pills", "for": "Jane"}]`, `"line_items": [{"id": 7}, {"title": "no id"}]`,
	`"contents": [{"product_id": "p", "quantity": "two", "item_price": -1}]`, `"items": [], "line_items": [{"id": "x"}]`, `"items": [1, null, "x"]`, `"items": {}`,
	`"items": [{"item_id": "jane@example.com"}]`, `"products": [{"sku": "s1"}]`,
	`"page_location": "https://shop.example/thanks?name=Jane&phone=4155550132&gclid=Cj0&utm_source=a#top"`, `"page_url": "https://shop.example/a"`,
	`"event_source_url": "/relative"`, `"url": "https://shop.example/jane@example.com"`, `"page_location": "javascript:alert(1)"`,
	`"page_referrer": "https://www.google.com/search?q=x", "page_title": "T"`,
	`"session_id": "1768472000"`, `"session_id": "sess_1"`, `"session_id": "undefined"`, `"session_id": "jane@example.com"`, `"ga_client_id": "GA1.1.5.6"`,
	`"_ga": "GA1.2.123.456"`, `"ga_client_id": "null"`, `"ga_session_id": "1768472000"`, `"_ga_ABC123": "GS1.1.1768472000.1.1.1768472001.0.0.0"`,
	`"_ga_ABC123": "GS2.1.s1768472000$o1$g1$t1768472001$j0$l0$h0"`, `"t-value": "aff_1"`, `"t-value": "jane@example.com"`, `"t-value": "+1 (415) 555-0132"`, `"session_id": "415-555-0132"`, `"gclid": "Cj0KCQ"`,
	`"gclid": "undefined"`, `"order_id": "jane@example.com"`, `"order_id": 12345678901234567890`, `"order_id": "order:purchase_completed"`, `"event_id": "own-1"`,
	`"email": "Jane.Doe@gmail.com", "phone": "+14155550132", "first_name": "Jane", "last_name": "Doe", "city": "Reno", "state": "NV", "zip": "89501", "country": "US"`,
	`"billing_email": "jane@example.com", "customer_id": 9`, `"client_ip": "203.0.113.7", "user_agent": "UA/1"`, `"ip_address": "10.0.0.1"`,
	`"fbp": "fb.1.1768472000000.1", "fbc": "fb.1.1768472000000.AbC", "ttclid": "t", "fbclid": "f"`, `"patient_name": "Jane", "diagnosis": "hiv", "mobile": "4155550132"`,
	`"utm_source": "google", "utm_campaign": "` + strings.Repeat("ü", 300) + `", "utm_term": "x", "affiliation": "A", "customer_type": "new", "utm_id": "u", "lead_source": "l"`,
}

var sameOptions = []relay.Options{
	{}, {KeepURLQuery: true}, {LimitedDataUse: true}, {OptOut: true}, {SendIP: true}, {Deny: []string{"consent", "order_id", "gclid"}}, {Deny: []string{"items", "storefront_id"}},
	{MaxAgeHours: 1},
}

// pair is one event at Google and at a container, with the same options.
type pair struct {
	direct, container       relay.Request
	directErr, containerErr error
}

func both(t *testing.T, payload string, o relay.Options, change func(*relay.Event)) pair {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err, payload)
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", BaseURL: "https://bosley.example/", DataPolicy: relay.DataPolicyStandard}}
	change(&e)
	settings := map[string]string{"measurement_id": "G-ABC123"}
	secrets := map[string]relay.Secret{"api_secret": relay.NewSecret("token")}
	var r pair
	r.direct, r.directErr = ga4.Adapter{}.Request(relay.Destination{Key: "ga4", Settings: settings, Secrets: secrets, Options: o}, e)
	settings = maps.Clone(settings)
	settings[sgtm.SettingURL], settings[sgtm.SettingClientType] = "https://tags.example.com", sgtm.ClientGA4
	r.container, r.containerErr = sgtm.Adapter{}.Request(relay.Destination{Key: relay.SGTM, Settings: settings, Secrets: secrets, Options: o}, e)
	return r
}

// requireSame wants the container's decision to be Google's, to the byte of the body where identifiers are switched on:
// without them a container still gets the ids of its own visitors.
func requireSame(t *testing.T, payload string, o relay.Options, change func(*relay.Event)) {
	t.Helper()
	words := fmt.Sprintf("%s %+v", payload, o)
	r := both(t, payload, o, change)
	require.Equal(t, r.directErr, r.containerErr, words)
	o.Identifiers = "hashed"
	r = both(t, payload, o, change)
	require.Equal(t, r.directErr, r.containerErr, words)
	if r.directErr != nil {
		return
	}
	require.JSONEq(t, string(r.direct.Body), string(r.container.Body), words)
	require.Equal(t, r.direct.Dropped, r.container.Dropped, words)
	require.Equal(t, r.direct.Withheld, r.container.Withheld, words)
	require.Equal(t, r.direct.Warnings, r.container.Warnings, words)
	require.Equal(t, r.direct.EventName, r.container.EventName, words)
}

func asIs(*relay.Event) {}

func requiring(e *relay.Event) { e.Storefront.RequireConsent = true }

func TestAContainerThatEnforcesConsentSendsTheSameAsDirectGA4(t *testing.T) {
	t.Parallel()
	const full = `"order_id": "o_1", "order_revenue": 80.79, "gclid": "Cj0KCQ", "fbp": "fb.1.1768472000000.1", "email": "jane@example.com", "ga_client_id": "GA1.1.5.6",
		"page_location": "https://shop.example/thanks?gclid=Cj0KCQ&fbclid=AbC&utm_source=a"`
	for _, o := range sameOptions {
		for _, signal := range signals {
			payload := "{" + full + "}"
			if signal != "" {
				payload = "{" + full + ", " + signal + "}"
			}
			requireSame(t, payload, o, asIs)
			requireSame(t, payload, o, requiring)
		}
		for _, content := range contents {
			requireSame(t, "{"+content+"}", o, asIs)
		}
	}
}

// adTraces are the ids of clicks and browsers in the payloads below.
var adTraces = []string{"Cj0KCQ", "AbC", "fb.1.", "1768472000000"}

func TestDeniedAdConsentRemovesClickAndBrowserIDs(t *testing.T) {
	t.Parallel()
	const payload = `{"order_revenue": 80.79, "consent": {"ad_storage": "denied"}, "gclid": "Cj0KCQ", "fbp": "fb.1.1768472000000.1", "fbc": "fb.1.1768472000000.AbC",
		"page_location": "https://shop.example/?gclid=Cj0KCQ&_fbc=fb.1.1768472000000.AbC&a=1", "landing_page": "https://shop.example/?fbclid=AbC&b=2",
		"utm_source": "x?gclid=Cj0KCQ", "cookies": {"_fbp": "fb.1.1768472000000.1", "list": [{"name": "_gcl_aw", "value": "GCL.1.Cj0KCQ"}]},
		"cookie": "_ga=GA1.1.5.6; _fbp=fb.1.1768472000000.1"}`
	o := relay.Options{Identifiers: "hashed", KeepURLQuery: true, SendIP: true}
	r := both(t, payload, o, asIs)
	require.NoError(t, r.directErr)
	require.JSONEq(t, string(r.direct.Body), string(r.container.Body))
	o.Allow = []string{"gclid", "fbp", "fbc", "landing_page", "cookie"}
	r.direct, r.container = r.container, both(t, payload, o, asIs).container
	require.Contains(t, string(r.container.Body), "landing_page")
	for _, body := range []string{string(r.direct.Body), string(r.container.Body)} {
		require.Contains(t, body, "a=1")
		for _, trace := range adTraces {
			require.NotContains(t, body, trace)
		}
	}
}

// Only the container accepts old events, and those that have no name at Google.
func TestAContainerAcceptsMoreThanDirectGA4(t *testing.T) {
	t.Parallel()
	old := func(e *relay.Event) { e.Now = e.Now.Add(100 * time.Hour) }
	r := both(t, `{"order_revenue": 5}`, relay.Options{}, old)
	require.Equal(t, relay.Refuse(relay.ReasonTooOld, "event_time"), r.directErr)
	require.NoError(t, r.containerErr)
	require.Contains(t, strings.Join(r.container.Warnings, "; "), "72 hours")
	r = both(t, `{"order_revenue": 5}`, relay.Options{MaxAgeHours: 99}, old)
	require.Equal(t, relay.Refuse(relay.ReasonTooOld, "event_time"), r.containerErr)
	unmapped := func(e *relay.Event) { e.Type = "rx_issued" }
	r = both(t, `{"consent": {"analytics_storage": "denied"}}`, relay.Options{}, unmapped)
	require.Equal(t, relay.Skip(relay.ReasonConsentDenied), r.containerErr)
	r = both(t, `{}`, relay.Options{}, unmapped)
	require.NoError(t, r.containerErr)
	require.Equal(t, "rx_issued", r.container.EventName)
	health := func(e *relay.Event) { e.Storefront.DataPolicy = relay.DataPolicyHealth }
	r = both(t, `{"utm_campaign": "spring", "page_location": "https://shop.example/a/b"}`, relay.Options{}, health)
	require.NoError(t, r.containerErr)
	require.Contains(t, string(r.container.Body), "https://shop.example/a/b")
	require.Contains(t, string(r.container.Body), "spring")
}

// refusals are signals that no destination may pass over.
func TestForwardSendsEveryDecisionWithTheEvent(t *testing.T) {
	t.Parallel()
	for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
		for _, lists := range []relay.Options{{}, {Allow: []string{"order_revenue"}}, {Deny: []string{"consent", "consent_state", "opt_out", "gpc"}}} {
			for _, signal := range signals {
				if signal == "" {
					continue
				}
				requireForwarded(t, client, "{"+signal+"}", lists)
			}
		}
	}
}

func requireForwarded(t *testing.T, client, payload string, o relay.Options) {
	t.Helper()
	o.Consent, o.CustomAliases = relay.ConsentForward, true
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now, Storefront: relay.Storefront{Code: "bosley"}}
	d := relay.Destination{Key: relay.SGTM, Options: o, Settings: map[string]string{sgtm.SettingURL: "https://tags.example.com", sgtm.SettingClientType: client,
		sgtm.SettingMeasurementID: "G-ABC123"}}
	r, err := sgtm.Adapter{}.Request(d, e)
	require.NoError(t, err, payload)
	// The same payload at a container that enforces shows the parts to forward.
	d.Options.Consent = relay.ConsentEnforce
	_, refusal := sgtm.Adapter{}.Request(d, e)
	var body struct {
		Consent json.RawMessage `json:"consent"`
		State   map[string]bool `json:"consent_state"`
		Events  []struct{ Params map[string]any }
	}
	require.NoError(t, json.Unmarshal(r.Body, &body), string(r.Body))
	var no *relay.Refusal
	if !errors.As(refusal, &no) {
		return
	}
	if client == sgtm.ClientCustom {
		require.False(t, body.State["analytics_storage"], "%s: %s", payload, r.Body)
		require.Len(t, body.State, 4)
		return
	}
	require.Regexp(t, `^G1[01-]0$`, body.Events[0].Params["x-ga-gcs"], payload)
}
