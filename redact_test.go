package relay_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay"
)

func TestRedactedBodyHasNobodyInIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"GA4's event keeps its name, the person loses theirs": {
			`{"client_id":"1.2","user_id":"u","events":[{"name":"purchase","params":{"name":"Jane Doe","value":80.79,"currency":"USD"}}]}`,
			`{"client_id":"[redacted]","events":[{"name":"purchase","params":{"currency":"USD","name":"[redacted]","value":80.79}}],"user_id":"[redacted]"}`},
		"a flat body with a field called params is no event": {
			`{"name":"Jane","params":"x"}`, `{"name":"[redacted]","params":"x"}`},
		"hashes and short names go whole": {
			`{"data":[{"event_name":"Purchase","user_data":{"em":["c436"],"external_id":"x"},"custom_data":{"value":1e3}}]}`,
			`{"data":[{"custom_data":{"value":1e3},"event_name":"Purchase","user_data":"[redacted]"}]}`},
		"a value goes whatever its type": {
			`{"email":["a@b.co"],"phone":14155550132,"dob":{"year":1990},"zip":null,"ip":true}`,
			`{"dob":"[redacted]","email":"[redacted]","ip":"[redacted]","phone":"[redacted]","zip":"[redacted]"}`},
		"spelling does not matter": {
			`{"E-Mail":"x","FirstName":"x","last name":"x","Client.IP":"x","userAgent":"x","_fbp":"x","Sc_Cookie1":"x"}`,
			`{"Client.IP":"[redacted]","E-Mail":"[redacted]","FirstName":"[redacted]","Sc_Cookie1":"[redacted]","_fbp":"[redacted]","last name":"[redacted]","userAgent":"[redacted]"}`},
		"a prefix does not matter": {
			`{"billing_phone":"1","patient_last_name":"x","hashed_email":"x","shipping_address":"x","clientIpAddress":"x"}`,
			`{"billing_phone":"[redacted]","clientIpAddress":"[redacted]","hashed_email":"[redacted]","patient_last_name":"[redacted]","shipping_address":"[redacted]"}`},
		"what looks like an address goes under any name, as value or as name": {
			`{"utm_content":"jane@example.com","list":[["mail jane@example.com now"]],"jane@example.com":1,"e":"jane%40example.com"}`,
			`{"[redacted]":"[redacted]","e":"[redacted]","list":[["[redacted]"]],"utm_content":"[redacted]"}`},
		"URLs keep scheme, host and path": {
			`{"page_location":"https://shop.example/p?drug=x&email=jane%40example.com#top","utm_url":" http://u:p@h.example/a?b=c ","referrer":"/thanks?order=1"}`,
			`{"page_location":"https://shop.example/p?drug=…&email=…","referrer":"/thanks?order=…","utm_url":"http://h.example/a?b=…"}`},
		"a URL whose path has an address goes whole": {
			`{"page_url":"https://shop.example/u/jane%40example.com","url":"mailto:jane@example.com","href":"jane@example.com"}`,
			`{"href":"[redacted]","page_url":"[redacted]","url":"[secret]"}`},
		"business fields stay, numbers as written": {
			`{"event_name":"purchase","order_id":"o_1","storefront_id":"bosley","n":12345678901234567890,"v":"80.79","status":"x","t-value":"aff","utm_source":"a&b<c>"}`,
			`{"event_name":"purchase","n":12345678901234567890,"order_id":"o_1","status":"x","storefront_id":"bosley","t-value":"aff","utm_source":"a&b<c>","v":"80.79"}`},
		"scalars and nulls pass": {`[1,null,true,"x"]`, `[1,null,true,"x"]`},
		"an empty body is empty": {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c[1], relay.RedactBody([]byte(c[0])))
		})
	}
}

func TestBodyThatIsNoJSONIsHiddenWhole(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"email=jane%40example.com", "{", `{"a":1} {"b":2}`, `{"a":1}x`, "<html>", `{"a":1e}`, strings.Repeat("[", 20_000)} {
		require.Equal(t, relay.Redacted, relay.RedactBody([]byte(body)))
	}
}

func TestRedactingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	once := relay.RedactBody([]byte(`{"email":"x","jane@example.com":1,"page_url":"https://h/p?q=1","v":80.790}`))
	require.Equal(t, once, relay.RedactBody([]byte(once)))
	require.True(t, json.Valid([]byte(once)))
}

func TestFieldsThatIdentifyAreTold(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"email", "Email", "e-mail", "user_email", "phone_number", "firstName", "LAST_NAME", "name", "city",
		"address", "address1", "Postal Code", "dob", "patient_dob", "client_ip", "ip_address", "user_agent", "customer_id", "SSN"} {
		require.True(t, relay.Identifies(field), field)
	}
	for _, field := range []string{"event_name", "item_name", "order_id", "utm_source", "gclid", "value", "currency", "session_id", "status",
		"email_opt_in", "t-value", "shipping", "membership", "", "…"} {
		require.False(t, relay.Identifies(field), field)
	}
}

func FuzzRedactBody(f *testing.F) {
	f.Add(`{"email":"jane@example.com","events":[{"name":"n","params":{"page_url":"https://a@b/?c"}}]}`)
	f.Add("{\"\xff@\":\"\u2028\"}")
	f.Fuzz(func(t *testing.T, body string) {
		out := relay.RedactBody([]byte(body))
		require.NotContains(t, out, "@")
		if out != relay.Redacted && out != "" {
			require.True(t, json.Valid([]byte(out)), out)
		}
	})
}
