package vendors_test

import (
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
		"reddit, a revoked token":   {"reddit/v3/pixels/a2_1/conversion_events", "Authorization: Bearer " + vendors.Revoked, `{}`, 401, "Authorization Required"},
		"reddit, the address of v2": {"reddit/v2.0/conversions/events/a2_1", "Authorization: Bearer t", `{}`, 404, "not found"},
		"microsoft, no token":       {"microsoft_ads/v1/12345678/events", "", `{}`, 401, "Unauthorized"},
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
		"ga4": {"ga4/mp/collect", "", `anything`, ""},
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

func play(path, header, body string) (sandbox.Answer, bool) {
	r := httptest.NewRequest(http.MethodPost, vendors.Prefix+path, strings.NewReader(body))
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	return vendors.Play(r, []byte(body))
}
