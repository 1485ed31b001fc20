package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/sandbox"
	"relay/internal/relay"
)

// recently is a time that every platform takes.
func recently() string { return time.Now().UTC().Add(-time.Hour).Format(time.RFC3339) }

const (
	nothingToMatchBy = "with these settings every event ends failed, missing_field (email, phone, external_id, fbc, fbp or client_ip)"
	testCodeIsSet    = "test_event_code is set: real events are marked as test events; remove it when the test is over"
)

func TestSettingsThatFailEveryEventAreReported(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	// README's example as it was: without options Meta has nothing to match by.
	made := o.post("credentials", `{"storefront_code":"bosley","platform_code":"meta_capi",
		"credentials":{"pixel_id":"1234567890","access_token":"the-token"}}`)
	require.Equal(t, []any{nothingToMatchBy}, made.body["warnings"])
	path := fmt.Sprintf("/admin/v1/credentials/%d", made.id())
	check := o.must(http.MethodPost, path+"/check", "")
	require.Equal(t, true, check.body["ok"], "the settings are complete all the same")
	require.Equal(t, []any{nothingToMatchBy}, check.body["warnings"])
	preview := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+item+`}`)
	require.Contains(t, preview.body["destinations"].([]any)[0].(map[string]any)["warnings"], nothingToMatchBy)
	require.NotContains(t, o.must(http.MethodGet, path, "").body, "warnings", "a read of many does not look")

	for options, want := range map[string][]any{
		`{"identifiers":"hashed"}`: nil,
		`{"send_ip":true}`:         nil,
		`{"identifiers":"hashed","deny":["order_revenue","revenue","value"]}`:                          {"with these settings every purchase_completed event ends failed, missing_field (order_revenue)"},
		`{"identifiers":"hashed","events":{"consult_started":{"skip":true}},"deny":["order_revenue"]}`: {"with these settings every event ends failed, missing_field (order_revenue)"},
		`{"events":{"consult_started":{"skip":true},"purchase_completed":{"skip":true}}}`:              {"no type of event is sent: options.events skips those that have a name at this destination"},
		`{"identifiers":"hashed","events":{"rx_issued":{"name":"Purchase"}},"deny":["order_revenue"]}`: {"with these settings every purchase_completed, rx_issued event ends failed, missing_field (order_revenue)"},
	} {
		r := o.must(http.MethodPatch, path, `{"options":`+options+`}`)
		if want == nil {
			require.NotContains(t, r.body, "warnings", options)
		} else {
			require.Equal(t, want, r.body["warnings"], options)
		}
	}
}

func TestATestModeOnRealEventsIsReported(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for platform, c := range map[string]struct{ fields, options, want string }{
		"meta_capi": {`"pixel_id":"1","access_token":"the-token","test_event_code":"TEST1"`, `"identifiers":"hashed"`, testCodeIsSet},
		"tiktok":    {`"pixel_code":"C1","access_token":"the-token","test_event_code":"TEST1"`, `"identifiers":"hashed"`, testCodeIsSet},
		"ga4": {`"measurement_id":"G-ABC123","api_secret":"the-secret"`, `"test":true`,
			"options.test is set: real events go to the vendor's validating endpoint, which records nothing"},
	} {
		made := o.post("credentials", fmt.Sprintf(`{"storefront_code":"bosley","platform_code":%q,"credentials":{%s},"options":{%s}}`, platform, c.fields, c.options))
		require.Equal(t, []any{c.want}, made.body["warnings"], platform)
		check := o.must(http.MethodPost, fmt.Sprintf("/admin/v1/credentials/%d/check", made.id()), "")
		require.Equal(t, []any{c.want}, check.body["warnings"], platform)
	}
	for _, platform := range []string{"meta_capi", "tiktok"} {
		list := o.must(http.MethodGet, "/admin/v1/credentials?platform_code="+platform, "").items(t)
		path := fmt.Sprintf("/admin/v1/credentials/%v", list[0]["id"])
		r := o.must(http.MethodPatch, path, `{"credentials":{"test_event_code":""},"options":{"identifiers":"hashed","test":true}}`)
		require.NotContains(t, r.body, "warnings", "the option does nothing at %s", platform)
	}
}

func TestAValidDestinationHasNoWarnings(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for platform, fields := range map[string]string{
		"meta_capi": `"pixel_id":"1","access_token":"the-token"`, "tiktok": `"pixel_code":"C1","access_token":"the-token"`,
		"snapchat": `"pixel_id":"1","access_token":"the-token"`, "pinterest": `"ad_account_id":"1","access_token":"the-token"`,
		"ga4": `"measurement_id":"G-ABC123","api_secret":"the-secret"`,
	} {
		for _, policy := range []string{"health", "standard"} {
			code := platform[:3] + policy
			o.post("storefronts", fmt.Sprintf(`{"storefront_id":%q,"data_policy":%q,"require_consent":true}`, code, policy))
			made := o.post("credentials", fmt.Sprintf(`{"storefront_code":%q,"platform_code":%q,"credentials":{%s},"options":{"identifiers":"hashed"}}`,
				code, platform, fields))
			require.NotContains(t, made.body, "warnings", platform)
		}
	}
	for name, config := range map[string]string{"ga4": `"measurement_id":"G-ABC123"`, "custom": `"client_type":"custom"`} {
		o.post("storefronts", fmt.Sprintf(`{"storefront_id":%q}`, name))
		made := o.post("sgtm-configs", fmt.Sprintf(`{"storefront_code":%q,"sgtm_url":"https://gtm.example.com",%s}`, name, config))
		require.NotContains(t, made.body, "warnings", name)
		path := fmt.Sprintf("/admin/v1/sgtm-configs/%d", made.id())
		require.Equal(t, []any{}, o.must(http.MethodPost, path+"/check", "").body["warnings"], name)
		r := o.must(http.MethodPatch, path, `{"options":{"events":{"purchase_completed":{"skip":true},"consult_started":{"skip":true}}}}`)
		require.NotContains(t, r.body, "warnings", "a container takes every other type")
	}
}

// holding is a platform whose policy keeps something back.
type holding struct{ sandbox.Adapter }

func (a holding) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	r, err := a.Adapter.Request(d, e)
	r.Withheld = []relay.Withheld{{Field: "items.sku", Why: "data policy health: items are sent without what names them"}}
	r.Warnings = []string{"the event has a value and no currency", "the event has a value and no currency"}
	return r, err
}

func TestAPreviewListsWhatAPolicyHeldBack(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	o.ops.Adapters["other"] = holding{}
	r := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+item+`}`)
	for _, d := range r.body["destinations"].([]any) {
		d := d.(map[string]any)
		if d["destination"] != "other" {
			require.Equal(t, []any{}, d["withheld"])
			continue
		}
		require.Equal(t, []any{map[string]any{"field": "items.sku", "why": "data policy health: items are sent without what names them"}}, d["withheld"])
		require.Equal(t, []any{testCodeIsSet, "the event has a value and no currency"}, d["warnings"], "each once")
	}
}

func TestEventsShowTheWarningsOfTheirAttempts(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	id := o.event(o.bosley, "o-1", "purchase_completed", person)
	require.NoError(t, o.store.RecordSending(t.Context(), relay.Attempt{AttemptID: "0123456789abcdef0123456789abcdef", EventID: id, Destination: "ga4",
		Number: 1, Warnings: []string{"the event has no GA4 session"}}))
	list := o.must(http.MethodGet, "/admin/v1/events", "").items(t)
	require.Equal(t, []any{"the event has no GA4 session"}, list[0]["warnings"])
	detail := o.must(http.MethodGet, fmt.Sprintf("/admin/v1/events/%d", id), "")
	require.Equal(t, []any{"the event has no GA4 session"}, detail.body["attempts"].([]any)[0].(map[string]any)["request"].(map[string]any)["warnings"])
}
