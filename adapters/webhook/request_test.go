package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/webhook"
	"relay/internal/relay"
)

var signingSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

// receiver is one that works, changed.
func receiver(change func(settings map[string]string, secrets map[string]relay.Secret, o *relay.Options)) relay.Destination {
	d := relay.Destination{Key: "webhook", Settings: map[string]string{webhook.SettingURL: "https://hooks.example.com/in"},
		Secrets: map[string]relay.Secret{webhook.SecretSigning: relay.NewSecret(signingSecret)}}
	change(d.Settings, d.Secrets, &d.Options)
	return d
}

func purchase(t *testing.T, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	return relay.Event{EventID: "order_123", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", DataPolicy: relay.DataPolicyStandard}}
}

func TestCheckNamesTheSettingThatIsWrong(t *testing.T) {
	t.Parallel()
	setting := func(url string) func(map[string]string, map[string]relay.Secret, *relay.Options) {
		return func(s map[string]string, _ map[string]relay.Secret, _ *relay.Options) { s[webhook.SettingURL] = url }
	}
	secret := func(name, value string) func(map[string]string, map[string]relay.Secret, *relay.Options) {
		return func(_ map[string]string, s map[string]relay.Secret, _ *relay.Options) {
			s[name] = relay.NewSecret(value)
		}
	}
	for _, c := range []struct {
		field  string
		change func(map[string]string, map[string]relay.Secret, *relay.Options)
	}{
		{"", func(map[string]string, map[string]relay.Secret, *relay.Options) {}},
		{"", secret("header:X-Api-Key", "a key")},
		{"", secret(webhook.SecretSigningPrevious, signingSecret)},
		{"", secret(webhook.SecretSigning, "")},
		{"", setting("http://10.0.0.5:8080/hook")},
		{"url", setting("")},
		{"url", setting("hooks.example.com")},
		{"url", setting("ftp://hooks.example.com")},
		{"url", setting("https://user:pass@hooks.example.com/")},
		{"url", setting("https://hooks.example.com/?token=1")},
		{"url", setting("https://hooks.example.com/#a")},
		{"signing_secret", secret(webhook.SecretSigning, "not-a-secret")},
		{"signing_secret", secret(webhook.SecretSigning, "whsec_c2hvcnQ=")},
		{"signing_secret_previous", secret(webhook.SecretSigningPrevious, "whsec_***")},
		{"signing_secret", func(_ map[string]string, s map[string]relay.Secret, _ *relay.Options) {
			delete(s, webhook.SecretSigning)
			s[webhook.SecretSigningPrevious] = relay.NewSecret(signingSecret)
		}},
		{"custom_headers", secret("header:webhook-id", "fixed-id-value")},
		{"custom_headers", secret("header:Webhook_Timestamp", "0")},
		{"custom_headers", secret("header:WEBHOOK-SIGNATURE", "v1,x")},
		{"custom_headers", secret("header:Content-Type", "application/json")},
		{"custom_headers", secret("header:Host", "evil.example")},
		{"custom_headers", secret("header:X-A", "a\r\nb")},
		{"plain_identifiers", func(_ map[string]string, _ map[string]relay.Secret, o *relay.Options) { o.PlainIdentifiers = "yes" }},
		{"api_version", func(_ map[string]string, _ map[string]relay.Secret, o *relay.Options) { o.APIVersion = "x" }},
	} {
		d := receiver(c.change)
		err := webhook.Adapter{}.Check(d)
		_, refused := webhook.Adapter{}.Request(d, purchase(t, `{}`))
		if c.field == "" {
			require.NoError(t, err)
			require.NoError(t, refused)
			continue
		}
		require.ErrorContains(t, err, c.field+": ")
		require.NotContains(t, err.Error(), "whsec_*")
		require.Error(t, refused)
	}
}

func TestAReceiverThatCannotTellWhoSendsIsWarnedOf(t *testing.T) {
	t.Parallel()
	none := receiver(func(_ map[string]string, s map[string]relay.Secret, _ *relay.Options) { clear(s) })
	require.Equal(t, []string{"neither signing_secret nor a custom header is set: the receiver cannot tell who sends"}, webhook.Adapter{}.SettingWarnings(none))
	for _, name := range []string{webhook.SecretSigning, "header:Authorization"} {
		none.Secrets = map[string]relay.Secret{name: relay.NewSecret(signingSecret)}
		require.Empty(t, webhook.Adapter{}.SettingWarnings(none))
	}
}

func TestNumbersLeaveAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	d := receiver(func(_ map[string]string, _ map[string]relay.Secret, o *relay.Options) {
		o.Allow = []string{"order_revenue", "points", "url_of_map"}
	})
	r, err := webhook.Adapter{}.Request(d, purchase(t, `{"order_revenue":80.790,"points":12345678901234567890,"url_of_map":"a<b>&c"}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"payload":{"currency":"USD","order_revenue":80.790,"points":12345678901234567890,"url_of_map":"a<b>&c"}`)
}

func TestTheMessageHasAnIDWithoutADot(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"event_id":"shop.1:42"}`)
	e.Storefront.SendsPayloadEventID = true
	r, err := webhook.Adapter{}.Request(receiver(func(map[string]string, map[string]relay.Secret, *relay.Options) {}), e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"event_id":"shop.1:42"`)
	require.Equal(t, e.HashedID(), r.Header[relay.HeaderWebhookID])
}

func TestATestEventHasNoSaleAndNoPerson(t *testing.T) {
	t.Parallel()
	d := receiver(func(_ map[string]string, _ map[string]relay.Secret, o *relay.Options) {
		*o = relay.Options{Identifiers: "hashed", SendIP: true, PlainIdentifiers: "baa_signed", Allow: []string{"email", "order_revenue"},
			Events: map[string]relay.EventRule{"purchase_completed": {Skip: true}}, LimitedDataUse: true, Deny: []string{"event_id"}}
	})
	e := purchase(t, `{"email":"jane@example.com","order_revenue":80.79,"client_ip":"203.0.113.9","consent":"denied","event_time":"2026-11-23T07:59:00Z"}`)
	e.Storefront.RequireConsent = true
	r, err := webhook.Adapter{}.TestRequest(d, e)
	require.NoError(t, err)
	var b struct {
		Type      string         `json:"type"`
		Timestamp string         `json:"timestamp"`
		Data      map[string]any `json:"data"`
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Equal(t, "relay.test", b.Type)
	require.Equal(t, "2026-11-23T07:59:00Z", b.Timestamp)
	require.Equal(t, map[string]any{}, b.Data["payload"])
	require.NotContains(t, string(r.Body), "jane")
	require.Equal(t, relay.Auth{Kind: relay.AuthStandardWebhooks, Secrets: []string{"signing_secret"}}, r.Auth)
	require.Contains(t, e.Payload, "email", "the event is the caller's")
}
