package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

const token = "s3cr3t/token+1"

// configured adds to bosley a container and a credential at meta_capi and ga4.
func (o *operated) configured() (container, credential int64) {
	o.t.Helper()
	r := o.call(http.MethodPost, "/admin/v1/sgtm-configs", fmt.Sprintf(`{"storefront_id":%d,"sgtm_url":"https://gtm.example.com",
		"client_type":"ga4","measurement_id":"G-ABC123","api_secret":%q}`, o.bosley, token))
	require.Equal(o.t, http.StatusCreated, r.status, r.text)
	container = r.id()
	for _, platform := range []string{"vendor", "other"} {
		require.NoError(o.t, seed.On(o.store).AddPlatform(o.t.Context(), ops.Platform{Code: platform, Name: platform, ServerSide: true, Fields: []ops.CredentialField{
			{Field: "base_url"}, {Field: "test_event_code"}, {Field: "access_token", Secret: true}}}))
		require.NoError(o.t, seed.On(o.store).PutCredential(o.t.Context(), o.bosley, ops.Credential{Platform: platform, Active: true, Fields: map[string]relay.Secret{
			"access_token": relay.NewSecret(token), "base_url": relay.NewSecret("https://vendor.example.com"), "test_event_code": relay.NewSecret("TEST1")}}))
	}
	list := o.call(http.MethodGet, "/admin/v1/credentials", "").items(o.t)
	for _, c := range list {
		if c["platform_code"] == "vendor" {
			credential = int64(c["id"].(float64))
		}
	}
	require.NotZero(o.t, credential, list)
	return container, credential
}

const item = `{"storefront_id":"bosley","event_name":"purchase_completed","event_time":"2026-01-15T10:25:00Z","order_id":"o-1",
	"order_revenue":80.790,"t-value":"","email":"jo@example.com"}`

func TestAPreviewShowsTheRequestOfEachDestination(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	r := o.as(rita).call(http.MethodPost, "/admin/v1/preview", `{"event":`+item+`}`)
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, []any{"sgtm"}, r.body["route"].(map[string]any)["destinations"])
	levels := r.body["levels"].([]any)
	require.Len(t, levels, 6, "storefront, container, and two for each platform")
	require.Equal(t, "sgtm", levels[1].(map[string]any)["level"])
	require.Equal(t, true, levels[1].(map[string]any)["active"])
	destinations := r.body["destinations"].([]any)
	require.Len(t, destinations, 3)
	container := destinations[0].(map[string]any)
	require.Equal(t, true, container["sends"])
	require.Equal(t, "purchase", container["event_name"])
	platform := destinations[1].(map[string]any)
	require.Equal(t, false, platform["sends"])
	require.NotContains(t, platform, "reason", "it is configured, and on")
	require.Equal(t, "the container is on: events go there, and only there", platform["reason_text"])
	require.Contains(t, container["request"].(map[string]any)["url"], "measurement_id=G-ABC123")
	require.Contains(t, r.text, "80.790")
	require.NotContains(t, r.text, token)
	require.NotContains(t, r.text, "s3cr3t")
	require.Zero(t, o.inboxRows(), "nothing is stored")
	require.Empty(t, o.sent, "nothing is sent")
}

func (o *operated) inboxRows() int {
	o.t.Helper()
	p, err := o.store.SearchEvents(o.t.Context(), ops.Filter{}, ops.Position{}, 10)
	require.NoError(o.t, err)
	return len(p.Items)
}

func TestAPreviewOfAStoredEventRedactsPersonalData(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	o.call(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), `{"fallback":"direct"}`)
	id := o.event(o.bosley, "o-1", "rx_issued", person)
	r := o.call(http.MethodPost, "/admin/v1/preview", fmt.Sprintf(`{"id":%d}`, id))
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.NotContains(t, r.text, "jo@example.com")
	byKey := map[string]map[string]any{}
	for _, d := range r.body["destinations"].([]any) {
		byKey[d.(map[string]any)["destination"].(string)] = d.(map[string]any)
	}
	require.Equal(t, "not_mapped", byKey["vendor"]["reason"])
	require.Equal(t, "skipped", byKey["vendor"]["ends_as"])
	require.NotContains(t, byKey["vendor"], "request")
	require.Equal(t, "[redacted]", o.redactedEmail(byKey["sgtm"]), "what the container would get is shown although it is off")

	old := o.event(o.bosley, "o-2", "purchase_completed", person)
	r = o.call(http.MethodPost, "/admin/v1/preview", fmt.Sprintf(`{"id":%d}`, old))
	require.Contains(t, r.text, "too_old")
	require.Equal(t, http.StatusNotFound, o.call(http.MethodPost, "/admin/v1/preview", `{"id":99}`).status)
}

// redactedEmail looks for the value at any of the names under which a container gets it.
func (o *operated) redactedEmail(destination map[string]any) any {
	body := destination["request"].(map[string]any)["body"].(map[string]any)
	if user, ok := body["user_data"]; ok {
		return user
	}
	return body["client_id"]
}

func TestBadPreviewsAreRefused(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for body, want := range map[string]string{
		`{}`:                                   "missing_field event",
		`{"id":1,"event":` + item + `}`:        "missing_field event",
		`{"event":{"storefront_id":"bosley"}}`: "missing_field event.event_name",
		`{"event":{"storefront_id":"nobody","event_name":"x","event_time":"2026-01-15T10:25:00Z","order_id":"1","t-value":""}}`: "unknown_storefront event.storefront_id",
		`{"event":{"storefront_id":"bosley","event_name":"x","event_time":"yesterday","order_id":"1","t-value":""}}`:            "invalid_time event.event_time",
		`{"event":5}`:  "wrong_type event",
		`{"id":"one"}`: "wrong_type id",
		`{"id":1e30}`:  "invalid_value id",
		`{"evnt":{}}`:  "unknown_field evnt",
	} {
		r := o.call(http.MethodPost, "/admin/v1/preview", body)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, body+" "+r.text)
		require.Equal(t, want, r.problem(), body)
	}
}

func TestACheckLooksAtSettingsAndSendsInTestModeOnly(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, credential := o.configured()
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	path := fmt.Sprintf("/admin/v1/credentials/%d/check", credential)
	r := o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.InDelta(t, 1, r.body["failed_since"], 0)
	require.Equal(t, []any{"exhausted", "destination_unhealthy", "unauthorized"}, r.body["replay"].(map[string]any)["filter"].(map[string]any)["reason"])
	require.Empty(t, o.sent)
	require.Equal(t, true, r.body["ok"])
	require.NotContains(t, r.text, "s3cr3t")

	r = o.call(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/check", container), "")
	require.Equal(t, true, r.body["ok"], r.text)
	require.Empty(t, o.sent)
	require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodPost, path+"?send=live", "").status)
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, path, "").status)
	require.Equal(t, http.StatusNotFound, o.call(http.MethodPost, "/admin/v1/credentials/999/check", "").status)
}

func TestATestEventShowsTheVendorsAnswer(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	_, credential := o.configured()
	path := fmt.Sprintf("/admin/v1/credentials/%d/check?send=test", credential)
	o.replies = []relay.Response{
		{Sent: true, Status: 200, Body: []byte(`{"ok":true,"echo":"` + token + `"}`), Took: 5 * time.Millisecond},
		{Sent: true, Status: 401, Body: []byte("<html>no</html>")},
	}
	r := o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, true, r.body["ok"])
	require.Equal(t, "accepted", r.body["sent"].(map[string]any)["outcome"])
	require.Equal(t, "[secret]", r.body["sent"].(map[string]any)["answer"].(map[string]any)["echo"])
	require.NotContains(t, r.text, "s3cr3t")
	require.Contains(t, o.sent[0].URL, "token="+token, "what was really sent has the token")
	r = o.call(http.MethodPost, path, "")
	require.Equal(t, false, r.body["ok"])
	require.Equal(t, "unauthorized", r.body["sent"].(map[string]any)["reason"])
	require.Len(t, o.call(http.MethodGet, fmt.Sprintf("/admin/v1/audit?action=test&entity=credentials&entity_id=%d", credential), "").items(t), 2)
}

func TestAContainerGetsATestEventThatIsNeitherASaleNorAPerson(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	path := fmt.Sprintf("/admin/v1/sgtm-configs/%d/check?send=test", container)
	o.replies = []relay.Response{{Sent: true, Status: 200}, {Sent: true, Status: 400, Body: []byte("no client"), Took: time.Millisecond}}
	r := o.call(http.MethodPost, path, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, true, r.body["ok"], r.text)
	r = o.call(http.MethodPost, path, "", "X-Gtm-Server-Preview", "ZW52LTN8eHh4")
	require.Equal(t, false, r.body["ok"], r.text)
	require.Equal(t, "unclaimed_path", r.body["sent"].(map[string]any)["reason"])
	require.Equal(t, "no client", r.body["sent"].(map[string]any)["answer"])
	require.Len(t, o.sent, 2)
	require.NotContains(t, o.sent[0].Header, "X-Gtm-Server-Preview")
	require.Equal(t, "ZW52LTN8eHh4", o.sent[1].Header["X-Gtm-Server-Preview"])
	for _, sent := range o.sent {
		require.Equal(t, "relay_test", sent.EventName)
		require.Contains(t, string(sent.Body), `"relay_test"`)
		require.NotContains(t, string(sent.Body), "relay-test@example.com")
		require.NotContains(t, string(sent.Body), "value")
	}
	require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodPost, path, "", "X-Gtm-Server-Preview", "two words").status)
}

// A fresh credential lets nothing of a person out, and must be provable all the same; so must one that limits everything.
func TestATestEventLeavesWhateverTheOptionsSay(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for platform, c := range map[string]struct{ fields, inURL, inBody, yes string }{
		"meta_capi": {`{"pixel_id":"123","access_token":"secret-token"}`, "/events", `"test_event_code":"TEST1"`, `{"events_received":1}`},
		"ga4":       {`{"measurement_id":"G-ABC123","api_secret":"secret-token"}`, "/debug/mp/collect", `"purchase"`, `{"validationMessages":[]}`},
		"tiktok":    {`{"pixel_code":"C1","access_token":"secret-token"}`, "/event/track/", `"test_event_code":"TEST1"`, `{"code":0}`},
		"snapchat":  {`{"pixel_id":"123","access_token":"secret-token"}`, "/events/validate", `"PURCHASE"`, `{"status":"VALID"}`},
		"pinterest": {`{"ad_account_id":"123","access_token":"secret-token"}`, "?test=true", `"checkout"`, `{"num_events_received":1,"num_events_processed":1}`},
	} {
		for storefront, options := range map[string]string{"bosley": `{}`,
			"pfizer": `{"deny":["email"],"limited_data_use":true,"events":{"purchase_completed":{"skip":true}}}`} {
			made := o.call(http.MethodPost, "/admin/v1/credentials", fmt.Sprintf(`{"storefront_code":%q,"platform_code":%q,"credentials":%s,"options":%s}`,
				storefront, platform, c.fields, options))
			require.Equal(t, http.StatusCreated, made.status, made.text)
			o.replies = []relay.Response{{Sent: true, Status: 200, Body: []byte(c.yes)}}
			r := o.call(http.MethodPost, fmt.Sprintf("/admin/v1/credentials/%d/check?send=test&test_event_code=TEST1", made.id()), "")
			require.Equal(t, true, r.body["ok"], r.text)
			require.NotContains(t, r.text, "secret-token")
			sent := o.sent[len(o.sent)-1]
			require.Contains(t, sent.URL, c.inURL)
			require.Contains(t, string(sent.Body), c.inBody)
		}
	}
}
