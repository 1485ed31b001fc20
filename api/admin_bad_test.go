package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stored is everything that the admin API shows, to see that a refused write left nothing.
func (a *administered) stored() string {
	a.t.Helper()
	var all strings.Builder
	for _, path := range []string{"storefronts", "sgtm-configs", "credentials", "platforms?sort=-id&limit=5", "audit"} {
		all.WriteString(a.must(http.MethodGet, "/admin/v1/"+path, "").text)
	}
	return all.String()
}

// secretInAWrongPlace must not come back from anywhere.
const secretInAWrongPlace = "sk_live_51Hxyz-do-not-repeat-this-value-anywhere-4242424242424242"

type badInput struct{ name, body, problem string }

var badStorefronts = []badInput{
	{"no body", ``, "malformed_json <nil>"},
	{"no JSON", `{"storefront_id":`, "malformed_json <nil>"},
	{"more than JSON", `{"storefront_id":"a"} x`, "malformed_json <nil>"},
	{"invalid UTF-8", "{\"storefront_id\":\"a\xff\"}", "malformed_json <nil>"},
	{"a list", `[]`, "wrong_type <nil>"},
	{"a field twice", `{"storefront_id":"a","storefront_id":"b"}`, "repeated_field <nil>"},
	{"a field in another case", `{"storefront_id":"a","Name":"x"}`, "unknown_field Name"},
	{"no code", `{"name":"x"}`, "missing_field storefront_id"},
	{"a null code", `{"storefront_id":null}`, "wrong_type storefront_id"},
	{"a code that is a number", `{"storefront_id":5}`, "wrong_type storefront_id"},
	{"an upper-case code", `{"storefront_id":"Bosley"}`, "invalid_value storefront_id"},
	{"a code with a space at its end", `{"storefront_id":"bosley "}`, "invalid_value storefront_id"},
	{"a code with a line break at its end", `{"storefront_id":"a\n"}`, "invalid_value storefront_id"},
	{"an empty code", `{"storefront_id":""}`, "invalid_value storefront_id"},
	{"a code that is too long", `{"storefront_id":"` + strings.Repeat("a", 51) + `"}`, "field_too_long storefront_id"},
	{"a negative id", `{"storefront_id":"a","id":-1}`, "invalid_value id"},
	{"an id that no column holds", `{"storefront_id":"a","id":2147483648}`, "invalid_value id"},
	{"an id with a fraction", `{"storefront_id":"a","id":1.5}`, "wrong_type id"},
	{"an id that is a text", `{"storefront_id":"a","id":"5"}`, "wrong_type id"},
	{"a name that is too long", `{"storefront_id":"a","name":"` + strings.Repeat("é", 256) + `"}`, "field_too_long name"},
	{"a name with a control character", `{"storefront_id":"a","name":"a\u0000b"}`, "invalid_character name"},
	{"a switch that is a text", `{"storefront_id":"a","is_active":"yes"}`, "wrong_type is_active"},
	{"a currency that is none", `{"storefront_id":"a","currency":"usd"}`, "invalid_value currency"},
	{"a region that is none", `{"storefront_id":"a","phone_region":"USA"}`, "invalid_value phone_region"},
	{"a page without https", `{"storefront_id":"a","base_url":"http://bosley.com"}`, "invalid_url base_url"},
	{"a page that is too long", `{"storefront_id":"a","base_url":"https://b/` + strings.Repeat("a", 500) + `"}`, "field_too_long base_url"},
	{"an unknown field", `{"storefront_id":"a","colour":"red"}`, "unknown_field colour"},
	{"a secret as a field", `{"storefront_id":"a","` + secretInAWrongPlace + `":"x"}`, "unknown_field …"},
	{"a secret as a value", `{"storefront_id":"` + secretInAWrongPlace + `"}`, "field_too_long storefront_id"},
}

var badSGTM = []badInput{
	{"no storefront", `{"sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "missing_field storefront_id"},
	{"an unknown storefront", `{"storefront_id":77,"sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "unknown_storefront storefront_id"},
	{"an unknown code", `{"storefront_code":"nobody","sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "unknown_storefront storefront_code"},
	{"id and code of two storefronts", `{"storefront_id":1,"storefront_code":"pfizer","sgtm_url":"https://t.example.com","measurement_id":"G-A"}`,
		"unknown_storefront storefront_id"},
	{"no address", `{"storefront_id":2,"measurement_id":"G-A"}`, "missing_field sgtm_url"},
	{"an empty address", `{"storefront_id":2,"sgtm_url":"","measurement_id":"G-A"}`, "invalid_value sgtm_url"},
	{"an address without https", `{"storefront_id":2,"sgtm_url":"http://t.example.com","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address without a scheme", `{"storefront_id":2,"sgtm_url":"t.example.com","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address with a password", `{"storefront_id":2,"sgtm_url":"https://u:` + secretInAWrongPlace + `@t.example.com","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address with a query", `{"storefront_id":2,"sgtm_url":"https://t.example.com?api_secret=` + secretInAWrongPlace + `","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address with no port that is one", `{"storefront_id":2,"sgtm_url":"https://t.example.com:99999","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address with an empty label", `{"storefront_id":2,"sgtm_url":"https://t..example.com","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"an address that is a number", `{"storefront_id":2,"sgtm_url":"https://0x7f.1","measurement_id":"G-A"}`, "invalid_url sgtm_url"},
	{"ga4 without a measurement id", `{"storefront_id":2,"sgtm_url":"https://t.example.com"}`, "missing_field measurement_id"},
	{"a measurement id that is none", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"UA-1"}`, "invalid_value measurement_id"},
	{"an unknown client", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"ga3"}`, "invalid_value client_type"},
	{"a secret with a line break", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","api_secret":"a\nb"}`, "invalid_character api_secret"},
	{"a secret as it was read", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","api_secret":{"is_set":true,"last_four":"abcd"}}`, "wrong_type api_secret"},
	{"a path without /", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_endpoint_path":"collect"}`, "invalid_value custom_endpoint_path"},
	{"a forbidden header", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"host":"x"}}`, "forbidden_header custom_headers.host"},
	{"a header that changes the body", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"content-encoding":"gzip"}}`, "forbidden_header custom_headers.content-encoding"},
	{"a condition as a header", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"If-None-Match":"*"}}`, "forbidden_header custom_headers.If-None-Match"},
	{"a header with a line break", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"X-A":"a\r\nHost: b"}}`, "forbidden_header custom_headers.X-A"},
	{"a header whose name is none", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"X A":"a"}}`, "forbidden_header custom_headers.…"},
	{"a header that is a number", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":{"X-A":5}}`, "wrong_type custom_headers.X-A"},
	{"headers that are a list", `{"storefront_id":2,"sgtm_url":"https://t.example.com","client_type":"custom","custom_headers":["X-A"]}`, "wrong_type custom_headers"},
	{"an unknown fallback", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","fallback":"maybe"}`, "invalid_value fallback"},
	{"an unknown option", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"colour":1}}`, "unknown_field options.colour"},
	{"an option of a wrong type", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"send_ip":"yes"}}`, "wrong_type options.send_ip"},
	{"identifiers that are none", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"identifiers":"plain"}}`, "invalid_value options.identifiers"},
	{"an event that no event is", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"events":{"Rx Issued":{"skip":true}}}}`, "invalid_value options.events.…"},
	{"an event named and skipped", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"events":{"rx_issued":{"skip":true,"name":"x"}}}}`, "invalid_value options.events.rx_issued"},
	{"an age that is negative", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"max_age_hours":-1}}`, "invalid_value options.max_age_hours"},
	{"a version with a path in it", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"api_version":"../x"}}`, "invalid_value options.api_version"},
	{"a denied field that is none", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A","options":{"deny":["a\tb"]}}`, "invalid_value options.deny[0]"},
}

var badPlatforms = []badInput{
	{"no name", `{"code":"mine"}`, "missing_field name"},
	{"an upper-case code", `{"code":"Mine","name":"x"}`, "invalid_value code"},
	{"the container's code", `{"code":"sgtm","name":"x"}`, "invalid_value code"},
	{"a tier that is none", `{"code":"mine","name":"x","tier":4}`, "invalid_value tier"},
	{"an address without https", `{"code":"mine","name":"x","api_base_url":"ftp://x"}`, "invalid_url api_base_url"},
	{"a field without a name", `{"code":"mine","name":"x","credential_fields":[{"secret":true,"required":true}]}`, "missing_field credential_fields[0].field"},
	{"a field twice", `{"code":"mine","name":"x","credential_fields":[{"field":"a","secret":true,"required":true},{"field":"a","secret":true,"required":true}]}`,
		"invalid_value credential_fields[1].field"},
	{"a format that does not compile", `{"code":"mine","name":"x","credential_fields":[{"field":"a","secret":true,"required":true,"format":"^("}]}`,
		"invalid_value credential_fields[0].format"},
	{"an unknown field of a field", `{"code":"mine","name":"x","credential_fields":[{"field":"a","secret":true,"required":true,"value":"v"}]}`,
		"unknown_field credential_fields[0].value"},
}

var badCredentials = []badInput{
	{"no platform", `{"storefront_id":2,"credentials":{}}`, "missing_field platform_id"},
	{"no storefront", `{"platform_code":"meta_capi","credentials":{}}`, "missing_field storefront_id"},
	{"an unknown platform", `{"storefront_id":2,"platform_code":"nowhere","credentials":{}}`, "unknown_platform platform_code"},
	{"an unknown platform's id", `{"storefront_id":2,"platform_id":99999,"credentials":{}}`, "unknown_platform platform_id"},
	{"an unknown storefront", `{"storefront_id":77,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token"}}`, "unknown_storefront storefront_id"},
	{"no credentials", `{"storefront_id":2,"platform_code":"meta_capi"}`, "missing_field credentials"},
	{"a field missing", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1"}}`, "missing_field credentials.access_token"},
	{"a field empty", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":""}}`, "missing_field credentials.access_token"},
	{"a field unknown", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token","token":"t"}}`, "unknown_field credentials.token"},
	{"a secret as a field's name", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token","` + secretInAWrongPlace + `":"x"}}`, "unknown_field credentials.…"},
	{"a secret beside the credentials", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1"},"access_token":"` + secretInAWrongPlace + `"}`, "unknown_field access_token"},
	{"a secret where an id belongs", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"` + secretInAWrongPlace + `","access_token":"a-test-token"}}`, "invalid_value credentials.pixel_id"},
	{"a field that is a number", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":1,"access_token":"a-test-token"}}`, "wrong_type credentials.pixel_id"},
	{"a field that is too long", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"` + strings.Repeat("a", 501) + `"}}`, "field_too_long credentials.access_token"},
	{"a name for an event that the platform does not know", `{"storefront_id":2,"platform_code":"snapchat","credentials":{"pixel_id":"1","access_token":"a-test-token"},"options":{"events":{"rx_issued":{"name":"Purchase"}}}}`, "invalid_value options.events"},
	{"a version of another form", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token"},"options":{"api_version":"25.0"}}`, "invalid_value options.api_version"},
	{"a token with a space", `{"storefront_id":2,"platform_code":"tiktok","credentials":{"pixel_code":"C1","access_token":"Bearer t"}}`, "invalid_value credentials.access_token"},
	{"an id with a line break", `{"storefront_id":2,"platform_code":"meta_capi","credentials":{"pixel_id":"1\n","access_token":"a-test-token"}}`, "invalid_character credentials.pixel_id"},
}

func TestBadInputIsRefusedWithCodeAndFieldAndNothingIsStored(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	a.storefront("pfizer")
	a.sgtm("bosley")
	a.meta("bosley")
	before := a.stored()
	for path, list := range map[string][]badInput{"storefronts": badStorefronts, "sgtm-configs": badSGTM, "platforms": badPlatforms, "credentials": badCredentials} {
		for _, bad := range list {
			r := a.call(http.MethodPost, "/admin/v1/"+path, bad.body)
			a.refused(t, path+": "+bad.name, bad, r)
		}
	}
	require.Equal(t, before, a.stored())
}

func (a *administered) refused(t *testing.T, name string, bad badInput, r reply) {
	t.Helper()
	require.GreaterOrEqual(t, r.status, 400, name)
	require.Less(t, r.status, 500, name)
	require.Equal(t, bad.problem, r.problem(), "%s: %s", name, r.text)
	require.NotContains(t, r.text, "do-not-repeat", name)
	require.NotContains(t, a.log.String(), "do-not-repeat", name)
}

func TestBadChangesAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	a.sgtm("bosley")
	a.meta("bosley")
	before := a.stored()
	for _, c := range []struct{ method, path, body, problem string }{
		{"PUT", "storefronts/1", `{"storefront_id":"bosley","currency":"x"}`, "invalid_value currency"},
		{"PUT", "storefronts/1", `{}`, "missing_field storefront_id"},
		{"PATCH", "storefronts/1", `{"name":null}`, "wrong_type name"},
		{"PATCH", "storefronts/1", `{"is_active":null}`, "wrong_type is_active"},
		{"PATCH", "storefronts/1", `{"is_active":0}`, "wrong_type is_active"},
		{"PATCH", "storefronts/1", `{"storefront_id":"other"}`, "unknown_field storefront_id"},
		{"PATCH", "storefronts/1", `{"id":9}`, "unknown_field id"},
		{"PATCH", "storefronts/1", `[]`, "wrong_type <nil>"},
		{"PATCH", "storefronts/1", ``, "malformed_json <nil>"},
		{"PATCH", "storefronts/9", `{"name":"x"}`, "not_found <nil>"},
		{"PATCH", "storefronts/x", `{"name":"x"}`, "invalid_parameter id"},
		{"PATCH", "storefronts/0", `{"name":"x"}`, "not_found <nil>"},
		{"PATCH", "storefronts/99999999999999999999", `{"name":"x"}`, "not_found <nil>"},
		{"PUT", "storefronts/9", `{"storefront_id":"x"}`, "not_found <nil>"},
		{"DELETE", "storefronts/9", ``, "not_found <nil>"},
		{"POST", "storefronts/9/activate", ``, "not_found <nil>"},
		{"POST", "storefronts/1/activate?fallback=stop", ``, "invalid_parameter fallback"},
		{"POST", "sgtm-configs/1/deactivate?fallback=maybe", ``, "invalid_parameter fallback"},
		{"PUT", "sgtm-configs/1", `{"storefront_id":2,"sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "immutable_field storefront_id"},
		{"PUT", "sgtm-configs/1", `{"sgtm_url":"https://t.example.com"}`, "missing_field measurement_id"},
		{"PATCH", "sgtm-configs/1", `{"measurement_id":""}`, "missing_field measurement_id"},
		{"PATCH", "sgtm-configs/1", `{"sgtm_url":"http://x"}`, "invalid_url sgtm_url"},
		{"PATCH", "sgtm-configs/1", `{"sgtm_url":null}`, "wrong_type sgtm_url"},
		{"PATCH", "sgtm-configs/1", `{"custom_headers":{"Transfer-Encoding":"chunked"}}`, "forbidden_header custom_headers.Transfer-Encoding"},
		{"PATCH", "sgtm-configs/1", `{"options":{"allow":"all"}}`, "wrong_type options.allow"},
		{"PATCH", "platforms/1", `{"name":""}`, "invalid_value name"},
		{"PATCH", "platforms/1", `{"code":"x"}`, "unknown_field code"},
		{"PUT", "platforms/1", `{"code":"x","name":"x"}`, "immutable_field code"},
		{"PATCH", "credentials/1", `{"credentials":{"access_token":""}}`, "missing_field credentials.access_token"},
		{"PATCH", "credentials/1", `{"credentials":{"other":"x"}}`, "unknown_field credentials.other"},
		{"PATCH", "credentials/1", `{"credentials":null}`, "wrong_type credentials"},
		{"PATCH", "credentials/1", `{"credentials":{"access_token":{"is_set":true,"last_four":"abcd"}}}`, "wrong_type credentials.access_token"},
		{"PUT", "credentials/1", `{"credentials":{"pixel_id":"1"}}`, "missing_field credentials.access_token"},
		{"PUT", "credentials/1", `{"platform_code":"ga4","credentials":{"pixel_id":"1","access_token":"a-test-token"}}`, "immutable_field platform_code"},
		{"GET", "storefronts?limit=0", ``, "invalid_parameter limit"},
		{"GET", "storefronts?limit=1000", ``, "invalid_parameter limit"},
		{"GET", "storefronts?sort=currency", ``, "invalid_parameter sort"},
		{"GET", "storefronts?cursor=x", ``, "invalid_parameter cursor"},
		{"GET", "storefronts?is_active=maybe", ``, "invalid_parameter is_active"},
		{"GET", "storefronts?colour=red", ``, "invalid_parameter colour"},
		{"GET", "audit?from=yesterday", ``, "invalid_parameter from"},
	} {
		r := a.call(c.method, "/admin/v1/"+c.path, c.body)
		a.refused(t, c.method+" "+c.path+" "+c.body, badInput{problem: c.problem}, r)
	}
	require.Equal(t, before, a.stored())
}

func TestABodyThatIsNoJSONTextIsRefused(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	for name, c := range map[string]struct {
		header, value string
		status        int
		code          string
	}{
		"another type":      {"Content-Type", "text/xml", http.StatusUnsupportedMediaType, "unsupported_media_type"},
		"a form":            {"Content-Type", "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType, "unsupported_media_type"},
		"a packed body":     {"Content-Encoding", "gzip", http.StatusUnsupportedMediaType, "unsupported_encoding"},
		"an unknown coding": {"Content-Encoding", "br", http.StatusUnsupportedMediaType, "unsupported_encoding"},
	} {
		r := a.call(http.MethodPost, "/admin/v1/storefronts", `{"storefront_id":"a"}`, c.header, c.value)
		require.Equal(t, c.status, r.status, name)
		require.Equal(t, c.code, r.body["code"], name)
	}
	r := a.call(http.MethodPost, "/admin/v1/storefronts", `{"name":"`+strings.Repeat("a", 1<<20)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	require.Equal(t, "body_too_large", r.body["code"])
	req := httptest.NewRequest(http.MethodPost, "/admin/v1/storefronts", &reading{r: strings.NewReader(`{`), err: errBroken})
	req.SetBasicAuth(anna[0], anna[1])
	require.Equal(t, http.StatusBadRequest, a.do(req).Code)
	require.Equal(t, http.StatusMethodNotAllowed, a.call(http.MethodPost, "/admin/v1/storefronts/1", `{}`).status)
	require.Equal(t, http.StatusNotFound, a.call(http.MethodGet, "/admin/v1/nothing", "").status)
	require.Equal(t, http.StatusOK, a.call(http.MethodGet, "/admin/v1/storefronts", "", "Accept", "text/html").status)
}

func TestAnUnknownParameterIsAnsweredWithTheKnownOnes(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	r := a.call(http.MethodGet, "/admin/v1/storefronts?statuss=failed", "")
	require.Equal(t, "invalid_parameter statuss", r.problem())
	message := r.body["errors"].([]any)[0].(map[string]any)["message"]
	require.Equal(t, "there is no such parameter here; valid ones are cursor, data_policy, is_active, limit, q, sort, storefront_id", message)
	r = a.call(http.MethodGet, "/admin/v1/storefronts/1?x=1", "")
	require.Contains(t, r.text, "it has no parameters")
}
