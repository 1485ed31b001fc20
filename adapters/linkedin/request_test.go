package linkedin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/linkedin"
	"relay/internal/relay"
)

const rule = "1234567"

// member returns a destination that works.
func member() relay.Destination {
	return relay.Destination{Key: "linkedin", Settings: map[string]string{},
		Secrets: map[string]relay.Secret{linkedin.SecretAccessToken: relay.NewSecret("s3cret-token")},
		Options: relay.Options{Identifiers: "hashed", Events: map[string]relay.EventRule{"purchase_completed": {Name: rule}}}}
}

func purchase(t *testing.T, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	return relay.Event{EventID: "order_123", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", DataPolicy: relay.DataPolicyStandard}}
}

func secret(d *relay.Destination, name, value string) { d.Secrets[name] = relay.NewSecret(value) }

func TestCheckNamesTheSettingThatIsWrong(t *testing.T) {
	t.Parallel()
	require.NoError(t, linkedin.Adapter{}.Check(member()))
	refreshing := func(d *relay.Destination) {
		d.Settings[linkedin.SettingClientID] = "86abc"
		d.Secrets = map[string]relay.Secret{linkedin.SecretRefreshToken: relay.NewSecret("refresh"), linkedin.SecretClient: relay.NewSecret("secret")}
	}
	d := member()
	refreshing(&d)
	require.NoError(t, linkedin.Adapter{}.Check(d))
	name := func(s string) func(*relay.Destination) {
		return func(d *relay.Destination) {
			d.Options.Events = map[string]relay.EventRule{"purchase_completed": {Name: s}}
		}
	}
	for _, c := range []struct {
		field  string
		change func(*relay.Destination)
	}{
		{"access_token", func(d *relay.Destination) { secret(d, "access_token", "two words") }},
		{"access_token", func(d *relay.Destination) { clear(d.Secrets) }},
		{"refresh_token", func(d *relay.Destination) { refreshing(d); secret(d, "refresh_token", "two words") }},
		{"client_id", func(d *relay.Destination) { refreshing(d); clear(d.Settings) }},
		{"client_secret", func(d *relay.Destination) { refreshing(d); delete(d.Secrets, "client_secret") }},
		{"api_base_url", func(d *relay.Destination) { d.Settings["api_base_url"] = "api.linkedin.com" }},
		{"api_version", func(d *relay.Destination) { d.Options.APIVersion = "v2" }},
		{"api_version", func(d *relay.Destination) { d.Options.APIVersion = "202613" }},
		{"events", name("purchase")},
		{"events", name("urn:lla:llaPartnerConversion:1234567")},
		{"events", name("0")},
		{"events", name("12 34")},
		{"identifiers", func(d *relay.Destination) { d.Options.Identifiers = "plain" }},
		{"plain_identifiers", func(d *relay.Destination) { d.Options.PlainIdentifiers = relay.BAASigned }},
	} {
		d := member()
		c.change(&d)
		require.ErrorContains(t, linkedin.Adapter{}.Check(d), c.field+": ")
		_, err := linkedin.Adapter{}.Request(d, purchase(t, `{"email":"jane@example.com"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: c.field}, err)
	}
}

func TestARefreshTokenIsExchangedWhenTheRequestLeaves(t *testing.T) {
	t.Parallel()
	d := member() // a credential that has both is renewed
	d.Settings[linkedin.SettingClientID] = "86abc"
	secret(&d, linkedin.SecretRefreshToken, "refresh")
	secret(&d, linkedin.SecretClient, "secret")
	for base, issuer := range map[string]string{
		"":                                       "https://www.linkedin.com/oauth/v2/accessToken",
		"https://api.linkedin.com/rest/":         "https://www.linkedin.com/oauth/v2/accessToken",
		"http://127.0.0.1:9999/vendors/linkedin": "http://127.0.0.1:9999/vendors/linkedin/oauth/v2/accessToken",
	} {
		d.Settings["api_base_url"] = base
		r, err := linkedin.Adapter{}.Request(d, purchase(t, `{"email":"jane@example.com"}`))
		require.NoError(t, err)
		require.Equal(t, relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{"refresh_token", "client_secret"}, TokenURL: issuer, ClientID: "86abc"}, r.Auth)
		require.NotContains(t, r.Header, "Authorization")
	}
}

func TestHashesAreThoseOfTheVendorsForm(t *testing.T) {
	t.Parallel()
	r, err := linkedin.Adapter{}.Request(member(), purchase(t, `{"email":" Jane.Doe+rx@Example.COM ","first_name":"Jane","last_name":" Doe."}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `{"idType":"SHA256_EMAIL","idValue":"c4368707bf8fe93365c93a0ea84c7e027c9215218a706388979294e0a799ccfb"}`)
	require.Contains(t, string(r.Body), `"hashedLastName":"799ef92a11af918e3fb741df42934f3b568ed2d93ac1df74f1b8d41a27932a6f"`)
}

// FuzzRequest looks for an event that LinkedIn would refuse.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"li_fat_id":"\ud800","first_name":"é","last_name":"."}`), "größe", "7", "")
	f.Add([]byte(`{"order_revenue":1e-39,"email":"a@b.cd","event_time":1}`), "x", "18446744073709551616", "order_revenue email")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := member(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := linkedin.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r, e)
	})
}

func requireFit(t *testing.T, r relay.Request, e relay.Event) {
	t.Helper()
	var b struct {
		Conversion           string
		ConversionHappenedAt int64
		ConversionValue      map[string]string
		EventID              string
		User                 struct {
			UserIDs     []map[string]string `json:"userIds"`
			UserInfo    map[string]string
			ExternalIDs []string `json:"externalIds"`
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Regexp(t, `^urn:lla:llaPartnerConversion:[1-9][0-9]*$`, b.Conversion)
	require.NotEmpty(t, b.EventID)
	require.LessOrEqual(t, b.ConversionHappenedAt, e.Now.UnixMilli())
	require.Regexp(t, `^[0-9]{13}$`, json.Number(string(r.Body[strings.Index(string(r.Body), `HappenedAt":`)+len(`HappenedAt":`):][:13])))
	require.NotNil(t, b.User.UserIDs)
	require.LessOrEqual(t, len(b.User.ExternalIDs), 1)
	require.True(t, len(b.User.UserIDs) > 0 || len(b.User.UserInfo) >= 2)
	for _, one := range b.User.UserIDs {
		require.NotEmpty(t, one["idValue"])
		if one["idType"] == "SHA256_EMAIL" {
			require.Regexp(t, `^[0-9a-f]{64}$`, one["idValue"])
		}
	}
	if b.ConversionValue != nil {
		require.Regexp(t, `^[0-9]+(\.[0-9]+)?$`, b.ConversionValue["amount"])
		require.Regexp(t, `^[A-Z]{3}$`, b.ConversionValue["currencyCode"])
	}
	if b.User.UserInfo != nil {
		require.Regexp(t, `^[0-9a-f]{64}$`, b.User.UserInfo["hashedFirstName"])
		require.Regexp(t, `^[0-9a-f]{64}$`, b.User.UserInfo["hashedLastName"])
		require.Regexp(t, `^([A-Z]{2})?$`, b.User.UserInfo["countryCode"])
	}
}
