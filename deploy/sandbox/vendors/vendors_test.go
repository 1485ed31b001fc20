package vendors_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
)

func TestPlatformsRejectInvalidRequests(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	hash := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		path, header, body string
		status             int
		want               string
	}{
		"pinterest, a member that its schema lacks": {"pinterest/v5/ad_accounts/1/events", "Authorization: Bearer t",
			`{"data":[{"event_name":"checkout","utm_source":"google"}]}`, 400, "utm_source"},
		"pinterest, a value that is a number": {"pinterest/v5/ad_accounts/1/events", "Authorization: Bearer t",
			`{"data":[{"event_name":"checkout","custom_data":{"value":80.79}}]}`, 400, "4196"},
		"pinterest, no token": {"pinterest/v5/ad_accounts/1/events", "", `{}`, 401, `"code":2`},
		"tiktok, a numeric event_id": {"tiktok/v1.3/event/track/", "Access-Token: t",
			`{"event_source":"web","event_source_id":"C1","data":[{"event":"Purchase","event_id":7}]}`, 200, "40002"},
		"tiktok, a bearer": {"tiktok/v1.3/event/track/", "Access-Token: Bearer t", `{}`, 200, "40105"},
		"meta, a purchase without a currency": {"meta_capi/v25.0/1/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"event_name":"Purchase","event_time":%d,"event_id":"e","action_source":"website",
			"user_data":{"em":[%q]},"custom_data":{"value":80.79}}]}`, now, hash), 400, "2804010"},
		"meta, milliseconds": {"meta_capi/v25.0/1/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"event_name":"Lead","event_time":%d000,"event_id":"e","action_source":"website"}]}`, now), 400, "2804003"},
		"meta, an address in the clear": {"meta_capi/v25.0/1/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"event_name":"Lead","event_time":%d,"event_id":"e","action_source":"website",
			"user_data":{"em":["jane@example.com"]}}]}`, now), 400, "2804050"},
		"microsoft, an address in the clear": {"microsoft_ads/v1/12345678/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"eventType":"custom","eventName":"purchase","eventId":"e","eventTime":%d,"userData":{"em":"jane@example.com"}}]}`, now), 400, "userData.em"},
		"microsoft, milliseconds": {"microsoft_ads/v1/12345678/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"eventType":"custom","eventName":"purchase","eventId":"e","eventTime":%d000,"userData":{"em":%q}}]}`, now, hash), 400, "eventTime"},
		"microsoft, the hash of an external id": {"microsoft_ads/v1/12345678/events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":[{"eventType":"custom","eventName":"purchase","eventId":"e","eventTime":%d,"userData":{"externalId":%q}}]}`, now, hash), 400, "userData"},
		"reddit, the names of v2": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"event_type":{"tracking_type":"Lead"}}]}}`, now), 400, "JSON error"},
		"reddit, seconds": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d,"action_source":"WEBSITE","type":{"tracking_type":"LEAD"}}]}}`, now), 400, "event_at"},
		"reddit, a purchase without a value": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"action_source":"WEBSITE","type":{"tracking_type":"PURCHASE"},"click_id":"c","metadata":{"conversion_id":"e"}}]}}`, now),
			400, "metadata.value"},
		"reddit, a hashed address": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"action_source":"WEBSITE","type":{"tracking_type":"LEAD"},"user":{"ip_address":%q},"metadata":{"conversion_id":"e"}}]}}`, now, hash),
			400, "ip_address"},
		"reddit, a custom event without a name": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"action_source":"WEBSITE","type":{"tracking_type":"CUSTOM"}}]}}`, now), 400, "type"},
		"reddit, nothing to match by": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"action_source":"WEBSITE","type":{"tracking_type":"LEAD"},"metadata":{"conversion_id":"e"}}]}}`, now), 400, "user"},
		"reddit, a browser alone": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t",
			fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,"action_source":"WEBSITE","type":{"tracking_type":"LEAD"},"user":{"user_agent":"UA/1"},"metadata":{"conversion_id":"e"}}]}}`, now),
			400, "user"},
		"reddit, a revoked token":            {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer " + vendors.Revoked, `{}`, 401, "Authorization Required"},
		"reddit, the address of v2":          {"reddit/v2.0/conversions/events/a2_1", "Authorization: Bearer t", `{}`, 404, "not found"},
		"microsoft, no token":                {"microsoft_ads/v1/12345678/events", "", `{}`, 401, "Unauthorized"},
		"klaviyo, no key":                    {"klaviyo/events", "Authorization: Bearer pk_1", `{}`, 401, "not_authenticated"},
		"klaviyo, a revoked key":             {"klaviyo/events", "Authorization: Klaviyo-API-Key pk_revoked", `{}`, 401, "authentication_failed"},
		"klaviyo, no revision":               {"klaviyo/events", "Authorization: Klaviyo-API-Key pk_1", `{}`, 400, "invalid"},
		"klaviyo, another address":           {"klaviyo/event", klaviyoHeader, `{}`, 404, "not_found"},
		"klaviyo, no profile":                {"klaviyo/events", klaviyoHeader, klaviyoBody(`{}`, `"Placed Order"`, `80.79`), 400, "attributes/profile"},
		"klaviyo, a hash as e-mail":          {"klaviyo/events", klaviyoHeader, klaviyoBody(fmt.Sprintf(`{"email":%q}`, hash), `"Placed Order"`, `80.79`), 400, "attributes/profile"},
		"klaviyo, another member":            {"klaviyo/events", klaviyoHeader, klaviyoBody(`{"first_name":"Jane"}`, `"Placed Order"`, `80.79`), 400, "attributes/profile"},
		"klaviyo, no metric":                 {"klaviyo/events", klaviyoHeader, klaviyoBody(`{"external_id":"c"}`, `""`, `80.79`), 400, "attributes/metric"},
		"klaviyo, a value as text":           {"klaviyo/events", klaviyoHeader, klaviyoBody(`{"external_id":"c"}`, `"Placed Order"`, `"80.79"`), 400, "attributes/value"},
		"customer.io, no key":                {"customer_io/v2/entity", "", customerIOBody(`{"id":"c"}`, `"u"`, `{}`), 401, "Unauthorized request"},
		"customer.io, a revoked key":         {"customer_io/v2/entity", basic("site", "revoked"), customerIOBody(`{"id":"c"}`, `"u"`, `{}`), 401, "Unauthorized request"},
		"customer.io, nobody":                {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{}`, someULID, `{}`), 400, "identifiers"},
		"customer.io, two identifiers":       {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{"id":"c","email":"a@b.c"}`, someULID, `{}`), 400, "identifiers"},
		"customer.io, an id of our own":      {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{"id":"c"}`, `"9b31c2d4e5f60718293a4b5c6d7e8f90"`, `{}`), 400, `"field":"id"`},
		"customer.io, mail to another":       {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{"id":"c"}`, someULID, `{"recipient":"eve@example.com"}`), 400, "attributes.recipient"},
		"customer.io, a long attribute":      {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{"id":"c"}`, someULID, `{"a":"`+strings.Repeat("x", 1000)+`"}`), 400, "attributes.a"},
		"customer.io, a request too long":    {"customer_io/v2/entity", basic("site", "k"), strings.Repeat(" ", 33<<10), 413, "too large"},
		"mixpanel, no token":                 {"mixpanel/import?strict=1", "", mixpanelBody(now, `"c"`, `"e"`), 401, "Invalid credentials"},
		"mixpanel, a revoked token":          {"mixpanel/import?strict=1", basic("revoked", ""), mixpanelBody(now, `"c"`, `"e"`), 401, "Invalid credentials"},
		"mixpanel, an account alone":         {"mixpanel/import?strict=1", basic("account", "k"), mixpanelBody(now, `"c"`, `"e"`), 401, "Invalid credentials"},
		"mixpanel, not strict":               {"mixpanel/import", basic("token", ""), mixpanelBody(now, `"c"`, `"e"`), 400, "strict"},
		"mixpanel, one event without a list": {"mixpanel/import?strict=1", basic("token", ""), `{}`, 400, "body"},
		"mixpanel, two hours ahead":          {"mixpanel/import?strict=1", basic("token", ""), mixpanelBody(now+7200, `"c"`, `"e"`), 400, "properties.time"},
		"mixpanel, nobody by a word":         {"mixpanel/import?strict=1", basic("token", ""), mixpanelBody(now, `"undefined"`, `"e"`), 400, "properties.distinct_id"},
		"mixpanel, a number as id":           {"mixpanel/import?strict=1", basic("token", ""), mixpanelBody(now, `7`, `"e"`), 400, "properties.distinct_id"},
		"mixpanel, an id with a dot":         {"mixpanel/import?strict=1", basic("token", ""), mixpanelBody(now, `"c"`, `"a.b"`), 400, "properties.$insert_id"},
		"amplitude, no key":                  {"amplitude/2/httpapi", "", amplitudeBody("", "cust_9", now*1000, "80.79"), 400, `"missing_field":"api_key"`},
		"amplitude, a revoked key":           {"amplitude/2/httpapi", "", amplitudeBody("revoked", "cust_9", now*1000, "80.79"), 400, "Invalid API key"},
		"amplitude, nobody":                  {"amplitude/2/httpapi", "", amplitudeBody("k", "", now*1000, "80.79"), 400, `{"user_id":[0]}`},
		"amplitude, a short id":              {"amplitude/2/httpapi", "", amplitudeBody("k", "cu9", now*1000, "80.79"), 400, `{"user_id":[0]}`},
		"amplitude, seconds":                 {"amplitude/2/httpapi", "", amplitudeBody("k", "cust_9", now, "80.79"), 400, `{"time":[0]}`},
		"amplitude, money as text":           {"amplitude/2/httpapi", "", amplitudeBody("k", "cust_9", now*1000, `"80.79"`), 400, `{"revenue":[0]}`},
		"snapchat, nothing to match by": {"snapchat/v3/1/events?access_token=t", "",
			fmt.Sprintf(`{"data":[{"event_name":"SIGN_UP","event_time":%d,"action_source":"WEB"}]}`, now), 400, "INVALID"},
		"snapchat, no token": {"snapchat/v3/1/events", "", `{}`, 401, "Unauthorized resources"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, played := play(c.path, c.header, c.body)
			require.True(t, played)
			require.Equal(t, c.status, got.Status)
			require.Contains(t, got.Body, c.want)
		})
	}
}

func TestPlatformsAcceptValidRequests(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	hash := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		path, header, body string
		want               string
	}{
		"meta_capi": {"meta_capi/v25.0/1/events", "Authorization: Bearer t", fmt.Sprintf(`{"data":[{"event_name":"Purchase","event_time":%d,
			"event_id":"e","action_source":"website","user_data":{"em":[%q]},"custom_data":{"value":80.79,"currency":"USD"}}]}`, now, hash),
			`"events_received":1`},
		"tiktok": {"tiktok/v1.3/event/track/", "Access-Token: t", fmt.Sprintf(`{"event_source":"web","event_source_id":"C1","data":[
			{"event":"Purchase","event_time":%d,"event_id":"7","user":{"email":%q},"page":{"url":"https://brio.example/"}}]}`, now, hash),
			`"code":0`},
		"snapchat": {"snapchat/v3/1/events?access_token=t", "", fmt.Sprintf(`{"data":[{"event_name":"PURCHASE","event_time":%d,
			"action_source":"WEB","user_data":{"em":[%q]},"custom_data":{"value":80.79,"currency":"USD"}}]}`, now, hash), "VALID"},
		"pinterest": {"pinterest/v5/ad_accounts/1/events", "Authorization: Bearer t", fmt.Sprintf(`{"data":[{"event_name":"checkout",
			"event_time":%d,"event_id":"e","action_source":"web","user_data":{"em":[%q]},"custom_data":{"value":"80.79","currency":"USD"}}]}`,
			now, hash), "processed"},
		"microsoft_ads": {"microsoft_ads/v1/12345678/events", "Authorization: Bearer t", fmt.Sprintf(`{"data":[{"eventType":"custom","eventName":"purchase",
			"eventId":"e","eventTime":%d,"userData":{"em":%q},"customData":{"value":80.79,"currency":"USD"}}]}`, now, hash), `"eventsReceived":1`},
		"reddit": {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer t", fmt.Sprintf(`{"data":{"events":[{"event_at":%d000,
			"action_source":"WEBSITE","type":{"tracking_type":"PURCHASE"},"user":{"email":%q},"metadata":{"conversion_id":"e","value":80.79,"currency":"USD"}}]}}`,
			now, hash), "Successfully"},
		"customer_io":          {"customer_io/v2/entity", basic("site", "k"), customerIOBody(`{"id":"c"}`, someULID, `{"value":80.79}`), "{}"},
		"amplitude":            {"amplitude/2/httpapi", "", amplitudeBody("k", "cust_9", now*1000, "80.79"), `"events_ingested":1`},
		"mixpanel":             {"mixpanel/import?strict=1", basic("token", ""), mixpanelBody(now, `""`, `"9b31"`), `"num_records_imported":1`},
		"mixpanel, an account": {"mixpanel/import?project_id=42&strict=1", basic("account", "k"), mixpanelBody(now, `"c"`, `"9b31"`), `"num_records_imported":1`},
		"klaviyo":              {"klaviyo/events", klaviyoHeader, klaviyoBody(`{"external_id":"c"}`, `"Placed Order"`, `80.79`), ""},
		"ga4":                  {"ga4/mp/collect", "", `anything`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, played := play(c.path, c.header, c.body)
			require.True(t, played)
			require.Less(t, got.Status, 300)
			require.Contains(t, got.Body, c.want)
		})
	}
}

func TestOtherPathsBelongToNoPlatform(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/mp/collect", vendors.Prefix, vendors.Prefix + "myspace/events"} {
		_, played := vendors.Play(httptest.NewRequest(http.MethodPost, path, nil), nil)
		require.False(t, played, path)
	}
}

const klaviyoHeader = "Authorization: Klaviyo-API-Key pk_1\nRevision: 2026-07-15"

func klaviyoBody(profile, metric, value string) string {
	return fmt.Sprintf(`{"data":{"type":"event","attributes":{"properties":{"order_id":"1"},"time":"2026-11-23T08:00:00Z","value":%s,"value_currency":"USD",
		"unique_id":"e","metric":{"data":{"type":"metric","attributes":{"name":%s}}},"profile":{"data":{"type":"profile","attributes":%s}}}}}`, value, metric, profile)
}

const someULID = `"01M83PPH00KCRW5N75YR3HGA9T"`

func customerIOBody(who, id, attributes string) string {
	return fmt.Sprintf(`{"type":"person","identifiers":%s,"action":"event","name":"purchase","id":%s,"timestamp":1795420800,"attributes":%s}`, who, id, attributes)
}

func mixpanelBody(seconds int64, who, id string) string {
	return fmt.Sprintf(`[{"event":"purchase","properties":{"time":%d000,"distinct_id":%s,"$insert_id":%s,"value":80.79,"items":[{"price":1}]}}]`, seconds, who, id)
}

func amplitudeBody(key, who string, millis int64, revenue string) string {
	return fmt.Sprintf(`{"api_key":%q,"events":[{"user_id":%q,"event_type":"purchase","time":%d,"insert_id":"9b31","revenue":%s,"event_properties":{"value":1}}]}`,
		key, who, millis, revenue)
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// play has headers one a line.
func play(path, header, body string) (sandbox.Answer, bool) {
	r := httptest.NewRequest(http.MethodPost, vendors.Prefix+path, strings.NewReader(body))
	for line := range strings.SplitSeq(header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	return vendors.Play(r, []byte(body))
}
