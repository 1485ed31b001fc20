package relay_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestRedactedBodyShowsHarmlessValuesOnly(t *testing.T) {
	t.Parallel()
	const r = `"[redacted]"`
	for name, c := range map[string][2]string{
		"GA4's event keeps its name": {
			`{"client_id":"1.2","user_id":"u","timestamp_micros":1795420700905000,"events":[{"name":"purchase","params":{"name":"Jane","value":80.79,"currency":"USD","event_id":"43ec953d9f920895c6efa2b6591ac441","diagnosis":"x"}}]}`,
			`{"client_id":` + r + `,"events":[{"name":"purchase","params":{"currency":"USD","diagnosis":` + r + `,"event_id":"43ec953d9f920895c6efa2b6591ac441","name":` + r + `,"value":80.79}}],"timestamp_micros":1795420700905000,"user_id":` + r + `}`},
		"a payload that looks like one does not": {
			`{"order_id":"1","events":[{"name":"Jane","params":{}}],"params":{"name":"Jane"}}`,
			`{"events":[{"name":` + r + `,"params":{}}],"order_id":"1","params":{"name":` + r + `}}`},
		"Meta's event keeps name, time, ids and money": {
			`{"data":[{"event_name":"Purchase","event_time":1795420700,"action_source":"website","user_data":{"em":["c436"],"country":["79ad"]},` +
				`"custom_data":{"value":1e3,"order_id":"order_123","content_ids":["hiv-prep"],"contents":[{"id":"hiv-prep","quantity":2,"item_price":"19.90"}],"utm_campaign":"hiv"}}],"test_event_code":"TEST123"}`,
			`{"data":[{"action_source":"website","custom_data":{"content_ids":` + r + `,"contents":[{"id":` + r + `,"item_price":"19.90","quantity":2}],"order_id":"order_123","utm_campaign":` + r + `,"value":1e3},` +
				`"event_name":"Purchase","event_time":1795420700,"user_data":` + r + `}],"test_event_code":"TEST123"}`},
		"Reddit's event keeps time, id and money": {
			`{"data":{"events":[{"event_at":1795420700905,"click_id":"c","type":{"tracking_type":"PURCHASE"},"user":{"email":"c436"},` +
				`"metadata":{"conversion_id":"117fffbf1fbd0bcfc1041328cb8505f4","value":80.79,"products":[{"name":"Pills","quantity":2}],"note":"jane"}}]}}`,
			`{"data":{"events":[{"click_id":` + r + `,"event_at":1795420700905,"metadata":{"conversion_id":"117fffbf1fbd0bcfc1041328cb8505f4","note":` + r +
				`,"products":[{"name":` + r + `,"quantity":2}],"value":80.79},"type":` + r + `,"user":` + r + `}]}}`},
		"Google's conversion keeps time, order, money and consent": {
			`{"events":[{"transactionId":"order_123","eventTimestamp":"2026-11-23T07:58:20Z","conversionValue":80.79,"adIdentifiers":{"gclid":"EAIaIQ"},"consent":{"adUserData":"CONSENT_GRANTED"}}]}`,
			`{"events":[{"adIdentifiers":` + r + `,"consent":{"adUserData":"CONSENT_GRANTED"},"conversionValue":80.79,"eventTimestamp":"2026-11-23T07:58:20Z","transactionId":"order_123"}]}`},
		"Klaviyo's event keeps id and money": {
			`{"data":{"type":"event","attributes":{"properties":{"event_id":"117fffbf1fbd0bcfc1041328cb8505f4","value":80.79,"note":"jane"},"value":80.79,` +
				`"metric":{"data":{"attributes":{"name":"jane"}}},"profile":{"data":{"attributes":{"external_id":"cust_9","value":7}}}}}}`,
			`{"data":{"attributes":{"metric":` + r + `,"profile":` + r + `,"properties":{"event_id":"117fffbf1fbd0bcfc1041328cb8505f4","note":` + r +
				`,"value":80.79},"value":80.79},"type":` + r + `}}`},
		"Amplitude's event keeps its name and money": {
			`{"api_key":"k3y","events":[{"user_id":"cust_9","event_type":"purchase","revenue":80.79,"event_properties":{"order_id":"order_123","email":"a@b.c"}}]}`,
			`{"api_key":` + r + `,"events":[{"event_properties":{"email":` + r + `,"order_id":"order_123"},"event_type":"purchase","revenue":80.79,"user_id":` + r + `}]}`},
		"LinkedIn's conversion keeps rule, time, id and money": {
			`{"conversion":"urn:lla:llaPartnerConversion:123","conversionHappenedAt":1795420700905,"conversionValue":{"currencyCode":"USD","amount":"80.79","note":"jane"},` +
				`"eventId":"117fffbf1fbd0bcfc1041328cb8505f4","user":{"userIds":[{"idType":"SHA256_EMAIL","idValue":"c436"}]}}`,
			`{"conversion":"urn:lla:llaPartnerConversion:123","conversionHappenedAt":1795420700905,"conversionValue":{"amount":"80.79","currencyCode":"USD","note":` + r +
				`},"eventId":"117fffbf1fbd0bcfc1041328cb8505f4","user":` + r + `}`},
		"a call of the tracking API keeps id, time and money; a name of two words could be a person's": {
			`{"event":"Order Completed","userId":"cust_9","anonymousId":"a","messageId":"117fffbf1fbd0bcfc1041328cb8505f4","timestamp":"2026-11-23T07:58:20.905Z",` +
				`"properties":{"order_id":"order_123","revenue":80.79,"currency":"USD","products":[{"product_id":"hiv-prep","quantity":2}]},"context":{"ip":"203.0.113.9"}}`,
			`{"anonymousId":` + r + `,"context":` + r + `,"event":` + r + `,"messageId":"117fffbf1fbd0bcfc1041328cb8505f4","properties":{"currency":"USD","order_id":"order_123",` +
				`"products":[{"product_id":` + r + `,"quantity":2}],"revenue":80.79},"timestamp":"2026-11-23T07:58:20.905Z","userId":` + r + `}`},
		"an unknown name hides every type": {
			`{"a":"x","b":1,"c":true,"d":null,"e":{"value":1},"f":[1,"x"],"g":[]}`,
			`{"a":` + r + `,"b":` + r + `,"c":` + r + `,"d":` + r + `,"e":` + r + `,"f":` + r + `,"g":` + r + `}`},
		"spelling does not matter": {
			`{"Currency":"usd","orderRevenue":1,"UTM-Source":"google","E-Mail":"x"}`,
			`{"Currency":"usd","E-Mail":` + r + `,"UTM-Source":"google","orderRevenue":1}`},
		"pages keep their origin": {
			`{"page_location":"https://u:p@shop.example/hiv?drug=x#top","page_url":" http://shop.example:8080/ ","url":"https://shop.example/…","href":"/hiv","source_url":"https://203.0.113.7/","page_referrer":"https://shop.example/"}`,
			`{"href":` + r + `,"page_location":"https://shop.example/…","page_referrer":` + r + `,"page_url":"http://shop.example:8080","source_url":` + r + `,"url":"https://shop.example/…"}`},
		"consent is shown in both forms": {
			`{"consent":{"ad_storage":"denied","analytics_storage":true,"note":"x"},"opt_out":0,"us_privacy":"1YNN","data_processing_options":["LDU"],"data_processing_options_state":1000}`,
			`{"consent":{"ad_storage":"denied","analytics_storage":true,"note":` + r + `},"data_processing_options":["LDU"],"data_processing_options_state":1000,"opt_out":0,"us_privacy":"1YNN"}`},
		"a container of values shows no value of its own": {`{"items":"jane","params":["jane",[1]],"consent":"denied","data":7}`,
			`{"consent":"denied","data":` + r + `,"items":` + r + `,"params":[` + r + `,[` + r + `]]}`},
		"a harmless name shows no object":         {`{"value":{"value":1},"currency":["USD","jane",{"a":1}]}`, `{"currency":["USD",` + r + `,` + r + `],"value":` + r + `}`},
		"nothing is shown as nothing":             {`{"currency":null,"value":"","coupon":""}`, `{"coupon":` + r + `,"currency":null,"value":""}`},
		"a key that may be a person is hidden":    {`{"jane@example.com":1,"Jane Roe":1,"+14155550132":1,"x4155550132":1}`, `{"[redacted]":` + r + `}`},
		"values without any name are not shown":   {`[1,null,true,"x",{"value":1}]`, `[` + r + `,` + r + `,` + r + `,` + r + `,{"value":1}]`},
		"a body that is one value is not shown":   {`"x"`, r},
		"characters of markup stay as they are":   {`{"utm_source":"a&b<c>","value":1}`, `{"utm_source":` + r + `,"value":1}`},
		"an empty body is empty":                  {``, ``},
		"of a name that comes twice the last one": {`{"value":1,"value":"jane"}`, `{"value":` + r + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := c[1]
			if want == r {
				want = relay.Redacted
			}
			got := relay.RedactBody([]byte(c[0]))
			if want != relay.Redacted {
				require.Equal(t, want, got)
			}
			require.Contains(t, []string{want, r}, got)
			if got != "" && got != relay.Redacted {
				require.Equal(t, got, relay.RedactBody([]byte(got)), "redacting again changes nothing")
			}
		})
	}
}

func TestHarmlessNameShowsOnlyValuesOfItsForm(t *testing.T) {
	t.Parallel()
	persons := []string{`"jane@example.com"`, `"jane%40example.com"`, `"Jane Roe"`, `"+14155550132"`, `"(415) 555-0132"`, `14155550132`, `"4155550132"`,
		`19900203`, `"1990-02-03"`, `"1990-02-03T00:00:00Z"`, `"123-45-6789"`, `123456789`, `"203.0.113.7"`, `"2001:db8::1"`, `"5 Main St"`,
		`"c4368707bf8fe93365c93a0ea84c7e027c9215218a706388979294e0a799ccfb"`, `"Müller"`, `"Mozilla/5.0 (X)"`, `"https://clinic.example/hiv"`,
		`"fb.1.1795420800000.AbCdEf0123456789"`, `"fb.1.1.2\n"`, `["jane@example.com"]`, `{"value":1}`, `"\u202ejane"`}
	digits := []string{`14155550132`, `"4155550132"`, `19900203`, `123456789`} // which a number of an order may be, too
	for name, shows := range map[string][]string{
		"value": {`80.79`, `"80.79"`, `-3`, `0`, `1e3`, `1234567.123456`}, "quantity": {`2`, `"12"`}, "currency": {`"USD"`, `"eur"`},
		"event_name": {`"purchase_completed"`, `"ev_2nd-step.x"`}, "event_time": {`"2026-01-15T10:15:00Z"`, `"2026-01-15 10:15:00"`, `1795420700`, `1795420700000`},
		"timestamp_micros": {`1795420700905000`}, "order_id": {`"2025020100003333"`, `12345678901234567890`, `"order_123"`, `"#1001A"`, `"43ec953d9f920895c6efa2b6591ac441"`},
		"storefront_id": {`"bosley"`, `5`}, "utm_source": {`"google"`, `"chatgpt.com"`, `"Klaviyo-2"`}, "utm_medium": {`"cpc"`}, "status": {`"Shipped"`},
		"consent": {`"denied"`, `true`, `0`}, "page_url": {`"https://shop.example"`}, "event_source_id": {`"C1PIXELCODE"`}, "content_type": {`"product"`},
	} {
		for _, value := range shows {
			require.Equal(t, fmt.Sprintf(`{"%s":%s}`, name, value), relay.RedactBody(fmt.Appendf(nil, `{"%s":%s}`, name, value)))
		}
		for _, value := range persons {
			got := relay.RedactBody(fmt.Appendf(nil, `{"%s":%s}`, name, value))
			switch {
			case name == "order_id" && slices.Contains(digits, value):
			case name == "consent" && value[0] == '{':
				require.JSONEq(t, `{"consent":{"value":1}}`, got, "a holder")
			case name == "page_url" && strings.HasPrefix(value, `"https:`):
				require.JSONEq(t, `{"page_url":"https://clinic.example/…"}`, got)
			default:
				require.Contains(t, []string{fmt.Sprintf(`{"%s":"[redacted]"}`, name), fmt.Sprintf(`{"%s":["[redacted]"]}`, name)}, got, value)
			}
		}
	}
	for name, value := range map[string]string{"currency": `"HIV"`, "utm_source": `"Jane Roe"`, "status": `"hiv-positive"`, "event_name": `"Jane Roe"`, "order_status": `"terminal"`} {
		require.JSONEq(t, fmt.Sprintf(`{"%s":"[redacted]"}`, name), relay.RedactBody(fmt.Appendf(nil, `{"%s":%s}`, name, value)))
	}
}

// plant writes marks under 200 names, in every type, among the fields that the record shows, and again in every holder.
func plant(rnd *rand.Rand, depth int) any {
	body := map[string]any{"value": 80.79, "currency": "USD", "utm_source": "google"}
	for i := range 200 {
		mark, name := fmt.Sprintf("mark%016x", rnd.Uint64()), fmt.Sprintf("unheard_of_%d_%d", depth, i)
		switch i % 5 {
		case 0:
			body[name] = mark
		case 1:
			body[name] = json.Number(fmt.Sprint(77_777_777_000 + rnd.IntN(1000)))
		case 2:
			body[name] = map[string]any{"value": mark, "currency": mark, mark: true}
		case 3:
			body[name] = []any{mark, map[string]any{"name": mark}}
		case 4:
			known := []string{"currency", "value", "quantity", "event_time", "consent", "content_type", "status"}
			body[known[i%7]+strings.Repeat("_", i)] = mark
		}
	}
	if depth > 0 {
		for _, h := range []string{"items", "params", "data", "events", "custom_data", "properties", "consent", "contents", "page", "products"} {
			body[h] = []any{plant(rnd, depth-1)}
		}
	}
	return body
}

func TestAValuePlantedUnderAnyNameAtAnyDepthIsNotInTheRecord(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(plant(rand.New(rand.NewPCG(12, 3)), 2))
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(text), "mark"), 111*160)
	got := relay.RedactBody(text)
	for _, mark := range []string{"mark", "77777777"} {
		if i := strings.Index(got, mark); i >= 0 {
			require.Fail(t, "the record shows a mark", got[max(0, i-100):min(len(got), i+100)])
		}
	}
	require.Equal(t, 111, strings.Count(got, `"currency":"USD"`))
}

func TestABodyThatIsNotJSONIsRedactedAsAWhole(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"email=jane%40example.com", "{", `{"a":1} {"b":2}`, `{"a":1}x`, `{"a":1}]`, "<html>", `{"a":1e}`, strings.Repeat("[", 20_000),
		"\ufeff{}", `{"value":NaN}`} {
		require.Equal(t, relay.Redacted, relay.RedactBody([]byte(body)))
	}
}

func TestHarmlessNamesAndHeadersAreShown(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"zip", "items.sku", "t-value", "_fbp", relay.Redacted},
		relay.RedactNames([]string{"zip", "items.sku", "t-value", "_fbp", "jane@example.com", "Jane Roe", "4155550132", "mrn_123456"}))
	require.Nil(t, relay.RedactNames(nil))
	require.Equal(t, "application/json", relay.RedactHeader("Content-Type", "application/json"))
	for _, name := range []string{"X-Forwarded-For", "User-Agent", "Cookie", "Authorization", "X-Anything", "Content-Type"} {
		require.Equal(t, relay.Redacted, relay.RedactHeader(name, "203.0.113.7"))
	}
}

func TestFieldsThatIdentifyAPersonAreRecognised(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"email", "Email", "e-mail", "user_email", "phone_number", "firstName", "LAST_NAME", "name", "city",
		"address", "address1", "Postal Code", "dob", "patient_dob", "client_ip", "ip_address", "user_agent", "customer_id", "SSN"} {
		require.True(t, relay.IsPersonalField(field), field)
	}
	for _, field := range []string{"event_name", "item_name", "order_id", "utm_source", "gclid", "value", "currency", "session_id", "status",
		"email_opt_in", "t-value", "shipping", "membership", "", "…"} {
		require.False(t, relay.IsPersonalField(field), field)
	}
}

func FuzzRedactBody(f *testing.F) {
	f.Add(`{"email":"jane@example.com","events":[{"name":"n","params":{"page_url":"https://a@b/?c"}}]}`)
	f.Add("{\"\xff@\":\"\u2028\"}")
	f.Add(`{"event ":[{}],"value ":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		out := relay.RedactBody([]byte(body))
		require.NotContains(t, out, "@")
		if out != relay.Redacted && out != "" {
			require.True(t, json.Valid([]byte(out)), out)
			require.Equal(t, out, relay.RedactBody([]byte(out)))
		}
	})
}

// An address of a person without a dot after the @ is none that a pattern for addresses finds.
func TestAnAddressWithoutADomainIsNotShown(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"jane@localhost", "jane@mx1", "Jane Doe <jane@localhost>", "mailto:jane@localhost", "jane%40localhost", "@jane"} {
		for _, name := range []string{"note", "value", "currency", "event_name", "order_id", "storefront_id", "utm_source", "page_url", "status",
			"consent", "event_source_id", "event_time", "items"} {
			body, err := json.Marshal(map[string]any{name: value, "data": []any{map[string]any{name: value}}, "properties": map[string]any{name: []any{value}}})
			require.NoError(t, err)
			require.NotContains(t, strings.ToLower(relay.RedactBody(body)), "jane", "%s of %s", value, name)
		}
		require.Equal(t, relay.Redacted, relay.RedactName(value))
		require.Equal(t, relay.Redacted, relay.RedactHeader("X-Note", value))
	}
}
