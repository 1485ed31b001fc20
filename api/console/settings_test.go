package console_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func credentialOf() object {
	return object{"id": 7, "storefront_id": 5, "storefront_code": "brio", "platform_code": "meta_capi", "credentials": object{"pixel_id": "1234567890"},
		"secrets": object{"access_token": object{"is_set": true, "last_four": "x9Kq"}}, "is_active": true,
		"options": object{"send_ip": true, "limits": object{"per_second": 50}, "events": object{"rx_issued": object{"skip": true}}, "a_later_option": 3}}
}

func settingsSite() *site {
	s := newSite()
	s.on("GET /admin/v1/credentials", object{"items": list{credentialOf()}})
	s.on("GET /admin/v1/credentials/7", credentialOf())
	s.on("PATCH /admin/v1/credentials/7", credentialOf())
	s.on("GET /admin/v1/sgtm-configs", object{"items": list{}})
	s.on("GET /admin/v1/platforms", object{"items": list{object{"id": 3, "code": "meta_capi", "name": "Meta Conversions API", "vendor": "Meta Platforms", "has_adapter": true,
		"api_base_url": "https://graph.example.com", "event_names": object{"purchase_completed": "Purchase"}, "proposed_event_names": object{"rx_issued": "SubmitApplication"},
		"credential_fields": list{object{"field": "pixel_id", "required": true}, object{"field": "access_token", "required": true, "secret": true},
			object{"field": "test_event_code"}}}}})
	s.on("POST /admin/v1/credentials/7/check", object{"ok": true, "message": "the settings are complete", "failed_since": 10_000, "failed_more": true,
		"warnings": list{"with these settings every event ends failed, missing_field (email)"},
		"replay":   object{"filter": object{"storefront": "brio", "status": list{"failed"}, "reason": list{"unauthorized", "exhausted"}, "failed_at": "meta_capi", "from": "2026-01-15T22:00:00Z"}}})
	s.on("GET /admin/v1/audit", object{"items": list{object{"id": 3, "at": "2026-01-15T22:00:00Z", "actor": "rita", "action": "patch", "entity": "credentials", "entity_id": 7,
		"changes": list{object{"field": "options.send_ip", "from": true, "to": false}}}}})
	return s
}

// version is that of the form on a page.
func version(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`name="version" value="([0-9a-f]{24})"`).FindStringSubmatch(body)
	require.NotNil(t, m, body)
	return m[1]
}

func TestSettingsShowNoSecret(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	body := s.get(t, "storefronts/brio/meta_capi/settings").Body.String()
	for _, want := range []string{`name="f.pixel_id" value="1234567890"`, "is set, …x9Kq", `name="s.access_token" type="password"`, "missing_field (email)", "More than 10,000 events failed here",
		"failed_at=meta_capi", "reason=unauthorized%2Cexhausted", `name="o.send_ip" value="true" checked`, `name="o.limits.per_second" value="50"`, `name="skip.rx_issued" value="true" aria-label="Skip rx_issued" checked`,
		"proposed: SubmitApplication", "Purchase"} {
		require.Contains(t, body, want)
	}
	require.LessOrEqual(t, len(s.calls()), 4, "three, and the bar's")

	s.on("GET /admin/v1/me", object{"name": "rita", "read_only": true})
	body = s.get(t, "storefronts/brio/meta_capi/settings").Body.String()
	require.Contains(t, body, "is set, …x9Kq")
	require.NotContains(t, strings.ReplaceAll(body, `action="../../../search" method="post"`, ""), `method="post"`)
}

func TestSettingsAreChangedAsTheFormSaysAndOtherwiseStay(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.answers["GET /admin/v1/credentials/7"] = reply{http.StatusOK, credentialOf()}
	v := version(t, s.get(t, "storefronts/brio/meta_capi/settings").Body.String())
	w := s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", v, "f.pixel_id", " 42 ", "s.access_token", "", "f.test_event_code", "", "o.identifiers", "hashed",
		"o.deny", "utm_term\r\nutm_content", "o.limits.in_flight", "20", "o.limits.per_second", "", "type", "purchase_completed", "name.purchase_completed", "Buy",
		"type", "rx_issued", "name.rx_issued", "", "new_type", "quiz_done", "new_skip", "true", "note", "ticket 5")
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "../../../storefronts/brio/meta_capi/settings?done=request-of-page", w.Header().Get("Location"))
	patch := s.last(t, "PATCH /admin/v1/credentials/7")
	require.Equal(t, "ticket 5", patch.header.Get("Relay-Note"))
	require.Equal(t, "application/merge-patch+json", patch.header.Get("Content-Type"))
	require.JSONEq(t, `{"credentials":{"pixel_id":"42","test_event_code":""},"options":{"a_later_option":3,"identifiers":"hashed","deny":["utm_term","utm_content"],
		"limits":{"in_flight":20},"events":{"purchase_completed":{"name":"Buy"},"quiz_done":{"skip":true}}}}`, patch.body)
}

func TestAStaleFormChangesNothingAndSaysWhoWasFaster(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	v := version(t, s.get(t, "storefronts/brio/meta_capi/settings").Body.String())
	changed := credentialOf()
	changed["credentials"] = object{"pixel_id": "999"}
	s.on("GET /admin/v1/credentials/7", changed)
	s.on("GET /admin/v1/credentials", object{"items": list{changed}})
	w := s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", v, "f.pixel_id", "42", "s.access_token", "a-new-secret", "o.send_ip", "true")
	require.Equal(t, http.StatusPreconditionFailed, w.Code)
	require.Zero(t, s.count("PATCH /admin/v1/credentials/7"))
	body := w.Body.String()
	for _, want := range []string{"Nothing was done", "<b>rita</b> changed the credential", "options.send_ip", "<del>true</del> → <ins>false</ins>", `name="f.pixel_id" value="42"`, "now stored: 999"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "a-new-secret")
	require.NotEqual(t, v, version(t, body), "saving again is based on what is shown")
}

func TestARefusedFormKeepsWhatWasEnteredButNoSecret(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	v := version(t, s.get(t, "storefronts/brio/meta_capi/settings").Body.String())
	s.answers["PATCH /admin/v1/credentials/7"] = reply{http.StatusUnprocessableEntity, object{"status": 422, "code": "invalid_value", "detail": "the request is not acceptable",
		"errors": list{object{"field": "credentials.pixel_id", "message": "the field must match ^[0-9]+$"}, object{"field": "options.limits.in_flight", "message": "a number is wanted"}}}}
	w := s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", v, "f.pixel_id", "<script>", "s.access_token", "short", "o.limits.in_flight", "many")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	body := w.Body.String()
	require.Equal(t, 2, strings.Count(body, "the field must match"), "above the form, and at the field")
	require.Contains(t, body, `value="&lt;script&gt;"`)
	require.Contains(t, body, `value="many"`)
	require.NotContains(t, body, "short")
	require.Contains(t, s.last(t, "PATCH /admin/v1/credentials/7").body, `"in_flight":"many"`, "REST says what is wrong with it")
}

// Some of these numbers are none in JSON, though Go reads them: REST refuses them with their field.
func TestANumberThatJSONDoesNotHaveIsLeftToREST(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	v := version(t, s.get(t, "storefronts/brio/meta_capi/settings").Body.String())
	s.answers["PATCH /admin/v1/credentials/7"] = reply{http.StatusUnprocessableEntity, object{"status": 422, "code": "invalid_value", "detail": "the request is not acceptable",
		"errors": list{object{"field": "options.limits.in_flight", "message": "a number is wanted"}}}}
	for _, number := range []string{".5", "5.", "05", "+5", "inf", "007", "0x1p4", "NaN", "1e999"} {
		w := s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", v, "f.pixel_id", "42", "o.limits.in_flight", number)
		require.Equal(t, http.StatusUnprocessableEntity, w.Code, number)
		require.Contains(t, s.last(t, "PATCH /admin/v1/credentials/7").body, `"in_flight":"`+number+`"`)
		require.Equal(t, 2, strings.Count(w.Body.String(), "a number is wanted"), "above the form, and at the field")
	}
	s.on("PATCH /admin/v1/credentials/7", credentialOf())
	s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", v, "f.pixel_id", "42", "o.limits.in_flight", "0.5")
	require.Contains(t, s.last(t, "PATCH /admin/v1/credentials/7").body, `"in_flight":0.5`)
}

// What is ticked stays ticked: else a second try does less than was asked for.
func TestARefusedFormKeepsItsTicks(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	credential := credentialOf()
	credential["secrets"] = object{"access_token": object{"is_set": true}, "test_event_code": object{"is_set": true}, "header:X-Api-Key": object{"is_set": true}}
	s.on("GET /admin/v1/credentials", object{"items": list{credential}})
	s.on("GET /admin/v1/credentials/7", credential)
	s.on("GET /admin/v1/platforms", object{"items": list{object{"id": 3, "code": "meta_capi", "name": "Meta", "has_adapter": true,
		"credential_fields": list{object{"field": "pixel_id"}, object{"field": "test_event_code", "secret": true}, object{"field": "other", "secret": true}, object{"field": "header:*", "secret": true}}}}})
	body := s.get(t, "storefronts/brio/meta_capi/settings").Body.String()
	removed := []string{`name="remove.s.test_event_code" value="true"`, `name="remove.s.header:X-Api-Key" value="true"`, `name="new_skip" value="true" aria-label="Skip it"`}
	for _, box := range removed {
		require.Contains(t, body, box+">")
	}
	s.answers["PATCH /admin/v1/credentials/7"] = problem(http.StatusUnprocessableEntity, "invalid_value", "the request is not acceptable")
	body = s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", version(t, body), "f.pixel_id", "<", "remove.s.test_event_code", "true",
		"remove.s.header:X-Api-Key", "true", "new_type", "quiz_done", "new_skip", "true").Body.String()
	for _, box := range removed {
		require.Contains(t, body, box+" checked>")
	}
	require.Contains(t, s.last(t, "PATCH /admin/v1/credentials/7").body, `"test_event_code":""`)

	body = s.post("storefronts/brio/meta_capi/settings", "id", "7", "version", version(t, body), "s.test_event_code", "TEST-1", "remove.s.test_event_code", "true").Body.String()
	require.Contains(t, body, removed[0]+">", "a new value, which is not shown again, came before the tick")
}

func TestANewContainerIsCreated(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.on("GET /admin/v1/storefronts", object{"items": list{object{"id": 5, "storefront_id": "brio"}}})
	body := s.get(t, "storefronts/brio/sgtm/settings").Body.String()
	require.Contains(t, body, `name="sgtm_url"`)
	require.Equal(t, "brio", s.last(t, "GET /admin/v1/storefronts").query.Get("storefront_id"))
	require.Contains(t, body, "Create")
	s.answers["POST /admin/v1/sgtm-configs"] = reply{http.StatusCreated, object{"id": 3}}
	w := s.post("storefronts/brio/sgtm/settings", "sgtm_url", "https://tags.example.com", "client_type", "custom", "api_secret", "", "custom_endpoint_path", "", "fallback", "stop",
		"on_exhausted", "fail", "header_name", "X-Api-Key", "header_value", "key-0123456", "is_active", "true", "o.consent", "enforce")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.JSONEq(t, `{"storefront_code":"brio","is_active":true,"sgtm_url":"https://tags.example.com","client_type":"custom","fallback":"stop","on_exhausted":"fail",
		"custom_headers":{"X-Api-Key":"key-0123456"},"options":{"consent":"enforce"}}`, s.last(t, "POST /admin/v1/sgtm-configs").body)
}

func TestAStorefrontThatIsNoneHasNoSettings(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.on("GET /admin/v1/credentials", object{"items": list{}})
	s.on("GET /admin/v1/storefronts", object{"items": list{}})
	for _, path := range []string{"storefronts/nowhere/meta_capi/settings", "storefronts/nowhere/sgtm/settings", "storefronts/nowhere/meta_capi/_delete"} {
		w := s.get(t, path)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		require.Contains(t, w.Body.String(), "no storefront with this code", path)
		require.NotContains(t, w.Body.String(), "Create", path)
	}
}

func TestSecretsAreRemovedOnlyWhereThatIsTicked(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	container := object{"id": 3, "storefront_code": "nova", "sgtm_url": "https://tags.example.com", "client_type": "custom", "api_secret": object{"is_set": true, "last_four": ""},
		"custom_headers": object{"X-Api-Key": object{"is_set": true}}, "fallback": "direct", "on_exhausted": "fail"}
	s.on("GET /admin/v1/sgtm-configs", object{"items": list{container}})
	s.on("GET /admin/v1/sgtm-configs/3", container)
	s.on("PATCH /admin/v1/sgtm-configs/3", container)
	s.on("POST /admin/v1/sgtm-configs/3/check", object{"ok": false, "field": "api_secret", "message": "api_secret: required", "warnings": list{}})
	body := s.get(t, "storefronts/nova/sgtm/settings").Body.String()
	require.Contains(t, body, "api_secret: required")
	w := s.post("storefronts/nova/sgtm/settings", "id", "3", "version", version(t, body), "sgtm_url", "https://tags.example.com", "client_type", "custom", "api_secret", "",
		"remove.api_secret", "true", "remove.h.X-Api-Key", "true", "h.X-Api-Key", "", "custom_endpoint_path", "", "fallback", "direct", "on_exhausted", "fail")
	require.Equal(t, http.StatusSeeOther, w.Code)
	var sent object
	require.NoError(t, json.Unmarshal([]byte(s.last(t, "PATCH /admin/v1/sgtm-configs/3").body), &sent))
	require.Empty(t, sent["api_secret"])
	require.Equal(t, object{"X-Api-Key": ""}, sent["custom_headers"])
	require.Empty(t, sent["custom_endpoint_path"])
}

func TestATestEventNamesWhereItGoesBeforeItDoes(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	body := s.get(t, "storefronts/brio/meta_capi/try/test").Body.String()
	require.Contains(t, body, "Send a test event to graph.example.com?")
	require.Zero(t, s.count("POST /admin/v1/credentials/7/check"), "nothing is sent before it is confirmed")
	s.on("POST /admin/v1/credentials/7/check", object{"ok": false, "message": "the vendor did not accept the test event", "warnings": list{}, "sent": object{
		"request": object{"method": "POST", "url": "https://graph.example.com/x?access_token=[secret]", "headers": object{"Content-Type": "application/json"}, "body": object{"a": 1}},
		"status":  400, "outcome": "rejected", "reason_text": "the destination refused the event", "answer": "<b>no</b>", "took_ms": 130}})
	w := s.post("storefronts/brio/meta_capi/try/test", "test_event_code", "TEST1", "note", "go live")
	require.Equal(t, http.StatusOK, w.Code)
	for _, want := range []string{"did not accept the test event", "access_token=[secret]", "130 ms", "&lt;b&gt;no&lt;/b&gt;"} {
		require.Contains(t, w.Body.String(), want)
	}
	sent := s.last(t, "POST /admin/v1/credentials/7/check")
	require.Equal(t, "send=test&test_event_code=TEST1", sent.query.Encode())
	require.Equal(t, "go live", sent.header.Get("Relay-Note"))
}

func TestASampleIsPreviewed(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.on("POST /admin/v1/preview", object{"levels": list{}, "route": object{"destinations": list{"meta_capi"}}, "destinations": list{
		object{"destination": "ga4", "sends": true, "event_name": "page_view"},
		object{"destination": "meta_capi", "sends": true, "event_name": "Purchase", "warnings": list{"no GA4 session"}, "dropped_fields": list{"zip"},
			"withheld": list{object{"field": "items.sku", "why": "data policy health"}}, "request": object{"method": "POST", "url": "https://graph.example.com", "headers": object{}, "body": object{"x": 1}}}}})
	body := s.get(t, "storefronts/brio/meta_capi/try?type=purchase_completed").Body.String()
	for _, want := range []string{"It would be sent as Purchase", "no GA4 session", "zip", "data policy health", "https://graph.example.com"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "page_view")
	w := s.post("storefronts/brio/meta_capi/try", "do", "preview", "sample", `{"event_name":`)
	require.Contains(t, w.Body.String(), "not valid JSON")
	w = s.post("storefronts/brio/meta_capi/try", "do", "check")
	require.Contains(t, w.Body.String(), "the settings are complete")
	require.Equal(t, 1, s.count("POST /admin/v1/preview"))
}

func TestACredentialIsDeletedAsItWasSeen(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	body := s.get(t, "storefronts/brio/meta_capi/_delete").Body.String()
	s.answers["DELETE /admin/v1/credentials/7"] = reply{http.StatusNoContent, ""}
	w := s.post("storefronts/brio/meta_capi/_delete", "id", "7", "version", version(t, body), "note", "moved")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "../../../storefronts/brio?done=request-of-page", w.Header().Get("Location"))
	require.Equal(t, 1, s.count("DELETE /admin/v1/credentials/7"))
	require.Equal(t, http.StatusPreconditionFailed, s.post("storefronts/brio/meta_capi/_delete", "id", "7", "version", "of-old").Code)
	require.Equal(t, 1, s.count("DELETE /admin/v1/credentials/7"))
}
