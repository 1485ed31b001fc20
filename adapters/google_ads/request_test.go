package googleads_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	googleads "relay/adapters/google_ads"
	"relay/internal/relay"
)

func account() relay.Destination {
	return relay.Destination{Key: "google_ads",
		Settings: map[string]string{googleads.SettingCustomerID: "123-456-7890", googleads.SettingClientID: "1-a.apps.googleusercontent.com"},
		Secrets: map[string]relay.Secret{googleads.SecretClientSecret: relay.NewSecret("s3cret-client"),
			googleads.SecretRefreshToken: relay.NewSecret("1//s3cret-refresh")},
		Options: relay.Options{Identifiers: "hashed", Events: map[string]relay.EventRule{"purchase_completed": {Name: "987654321"}}}}
}

// serviceAccount is the account with a service account's key in place of OAuth.
func serviceAccount(t *testing.T) relay.Destination {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]string{"client_email": "relay@example.iam.gserviceaccount.com", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))})
	require.NoError(t, err)
	d := account()
	delete(d.Settings, googleads.SettingClientID)
	d.Secrets = map[string]relay.Secret{googleads.SecretServiceAccount: relay.NewSecret(string(text))}
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
	require.NoError(t, googleads.Adapter{}.Check(account()))
	require.NoError(t, googleads.Adapter{}.Check(serviceAccount(t)))
	for _, c := range []struct {
		field  string
		change func(*relay.Destination)
	}{
		{"customer_id", func(d *relay.Destination) { d.Settings["customer_id"] = "12-34" }},
		{"login_customer_id", func(d *relay.Destination) { d.Settings["login_customer_id"] = "me" }},
		{"token_url", func(d *relay.Destination) { d.Settings["token_url"] = "https://user:pw@example.com" }},
		{"oauth_client_id", func(d *relay.Destination) { d.Settings["oauth_client_id"] = "" }},
		{"oauth_client_secret", func(d *relay.Destination) { d.Secrets["oauth_client_secret"] = relay.Secret{} }},
		{"refresh_token", func(d *relay.Destination) { d.Secrets["refresh_token"] = relay.NewSecret("two words") }},
		{"service_account_json", func(d *relay.Destination) { d.Secrets["refresh_token"] = relay.Secret{} }},
		{"service_account_json", func(d *relay.Destination) { d.Secrets["service_account_json"] = relay.NewSecret("{}") }},
		{"service_account_json", func(d *relay.Destination) {
			d.Secrets = map[string]relay.Secret{"service_account_json": relay.NewSecret(`{"client_email":"a","private_key":"b"}`)}
		}},
		{"api_base_url", func(d *relay.Destination) { d.Settings["api_base_url"] = "datamanager.googleapis.com" }},
		{"events", func(d *relay.Destination) {
			d.Options.Events = map[string]relay.EventRule{"purchase_completed": {Name: "purchase"}}
		}},
		{"plain_identifiers", func(d *relay.Destination) { d.Options.PlainIdentifiers = relay.BAASigned }},
	} {
		d := account()
		c.change(&d)
		err := googleads.Adapter{}.Check(d)
		require.ErrorContains(t, err, c.field+": ")
		require.NotContains(t, err.Error(), "s3cret")
		_, err = googleads.Adapter{}.Request(d, purchase(t, `{"gclid":"EAIaIQ"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: c.field}, err)
	}
}

func TestARequestNamesTheWayToItsToken(t *testing.T) {
	t.Parallel()
	r, err := googleads.Adapter{}.Request(account(), purchase(t, `{"gclid":"EAIaIQ"}`))
	require.NoError(t, err)
	require.Equal(t, relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{"refresh_token", "oauth_client_secret"},
		TokenURL: "https://oauth2.googleapis.com/token", ClientID: "1-a.apps.googleusercontent.com"}, r.Auth)
	require.True(t, r.Repeatable)
	d := serviceAccount(t)
	d.Settings[googleads.SettingTokenURL] = "http://127.0.0.1:9/token"
	r, err = googleads.Adapter{}.Request(d, purchase(t, `{"gclid":"EAIaIQ"}`))
	require.NoError(t, err)
	require.Equal(t, relay.Auth{Kind: relay.AuthServiceAccount, Secrets: []string{"service_account_json"},
		TokenURL: "http://127.0.0.1:9/token", Scope: "https://www.googleapis.com/auth/datamanager"}, r.Auth)
	require.Equal(t, []string{"Authorization", "Content-Type"}, r.HeaderNames())
}

// whole is a person and a browser of whom every field would be data of the person.
const whole = `"email":"jane.roe@example.net","phone":"+14155550199","first_name":"Janeane","last_name":"Roeburg","city":"Sausalito","zip":"94965",
	"country":"US","dob":"1991-02-03","client_ip":"203.0.113.99","user_agent":"Mozilla/5.0 (Roe)","external_id":"cust_9_roe","session_id":"sess_roe",
	"page_location":"https://bosley.example/hair","items":[{"sku":"fin-1","quantity":1,"price":80.79,"item_name":"Finasteride"}],
	"utm_source":"google","coupon":"HAIR","order_revenue":80.79`

// Google forbids data of the person for health and medical purchases. No option lifts that.
func TestUnderTheHealthPolicyOnlyTheClickLeaves(t *testing.T) {
	t.Parallel()
	allow := strings.Fields("gclid gbraid wbraid email phone first_name last_name city zip country dob client_ip user_agent external_id session_id " +
		"page_location items items.sku item_id item_name utm_source coupon order_revenue order_id")
	for _, policy := range []relay.DataPolicy{"", relay.DataPolicyHealth} {
		for _, o := range []relay.Options{{}, {SendIP: true, SendUserAgent: true, KeepURLQuery: true, ExternalIDFromSession: true}, {Allow: allow}} {
			d, e := account(), purchase(t, `{"gclid":"EAIaIQ",`+whole+`}`)
			o.Events, o.Identifiers = d.Options.Events, "hashed"
			d.Options, e.Storefront.DataPolicy = o, policy
			r, err := googleads.Adapter{}.Request(d, e)
			require.NoError(t, err)
			var b struct {
				Destinations []json.RawMessage
				Events       []map[string]json.RawMessage
			}
			require.NoError(t, json.Unmarshal(r.Body, &b))
			require.JSONEq(t, `{"gclid":"EAIaIQ"}`, string(b.Events[0]["adIdentifiers"]))
			for _, field := range []string{"adIdentifiers", "transactionId", "eventTimestamp", "eventSource", "currency", "conversionValue"} {
				delete(b.Events[0], field)
			}
			require.Empty(t, b.Events[0])
			require.NotContains(t, string(r.Body), "encoding")
			require.Contains(t, r.Withheld, relay.Withheld{Field: "email", Why: "data policy health: Google forbids data of the person for health and medical purchases"})
			require.NotRegexp(t, `(?i)roe|fin-1|finasteride|hair|[0-9a-f]{64}`, string(r.Body))

			e.Payload, err = relay.ParsePayload([]byte(`{` + whole + `}`))
			require.NoError(t, err)
			_, err = googleads.Adapter{}.Request(d, e)
			require.Equal(t, &relay.Refusal{Reason: relay.ReasonMissingField, Field: "gclid, gbraid or wbraid"}, err)
		}
	}
}

func TestMailboxesOfGooglesOwnHostsLoseDotsAndTags(t *testing.T) {
	t.Parallel()
	hash := func(address string) string {
		text, err := json.Marshal(address)
		require.NoError(t, err)
		r, err := googleads.Adapter{}.Request(account(), purchase(t, `{"email":`+string(text)+`}`))
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(r.Body), `"emailAddress":"`)
		return rest[:64]
	}
	require.Equal(t, "c4368707bf8fe93365c93a0ea84c7e027c9215218a706388979294e0a799ccfb", hash(" Jane.Doe+rx@Example.COM"))
	require.Equal(t, "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976", hash("alice@example.com"))
	for _, same := range []string{"Jane.Doe+rx@Gmail.com", "j.a.n.e.doe@gmail.com ", "janedoe+a+b@GMAIL.com"} {
		require.Equal(t, hash("janedoe@gmail.com"), hash(same), same)
	}
	require.Equal(t, hash("janedoe@googlemail.com"), hash("Jane.Doe@googlemail.com"))
	_, err := googleads.Adapter{}.Request(account(), purchase(t, `{"email":"..+a@gmail.com"}`))
	require.Equal(t, &relay.Refusal{Reason: relay.ReasonMissingField, Field: "gclid, gbraid, wbraid, email or phone"}, err)
}

func TestATestEventIsOnlyValidated(t *testing.T) {
	t.Parallel()
	d, e := account(), purchase(t, `{"email":"relay-test@example.com","order_revenue":1}`)
	e.Storefront.DataPolicy = relay.DataPolicyHealth
	r, err := googleads.Adapter{}.TestRequest(d, e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"validateOnly":true`)
	require.True(t, r.Validates)
	require.Contains(t, string(r.Body), `"gclid":"EAIaIQobChMI7f"`)
	require.NotContains(t, string(r.Body), "userData")
	d.Options.Events = map[string]relay.EventRule{"consult_started": {Name: "55"}}
	r, err = googleads.Adapter{}.TestRequest(d, e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"productDestinationId":"55"`)
	d.Options.Events = nil
	_, err = googleads.Adapter{}.TestRequest(d, e)
	require.Equal(t, &relay.Refusal{Reason: relay.ReasonMissingField, Field: "events"}, err)
	r, err = googleads.Adapter{}.Request(account(), purchase(t, `{"gclid":"EAIaIQ"}`))
	require.NoError(t, err)
	require.NotContains(t, string(r.Body), "validateOnly")
	require.False(t, r.Validates)
}

// FuzzRequest looks for an event that Google would refuse, or a person under the health policy.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, strings.Join(c.Destination.Options.Allow, " "), c.Event.Storefront.Health())
	}
	f.Add([]byte(`{"order_revenue":1e999999,"gclid":"a b","wbraid":"\ud800","email":"..+@gmail.com"}`), "größe", "email", true)
	f.Fuzz(func(t *testing.T, text []byte, eventType, allow string, health bool) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := account(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		if health {
			e.Storefront.DataPolicy = relay.DataPolicyHealth
		}
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: "987654321"}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := googleads.Adapter{}.Request(d, e)
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
		Events []struct {
			TransactionID   string            `json:"transactionId"`
			EventTimestamp  time.Time         `json:"eventTimestamp"`
			Currency        string            `json:"currency"`
			ConversionValue *float64          `json:"conversionValue"`
			AdIdentifiers   map[string]string `json:"adIdentifiers"`
			UserData        *struct {
				UserIdentifiers []map[string]string `json:"userIdentifiers"`
			} `json:"userData"`
		} `json:"events"`
		Encoding string `json:"encoding"`
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Len(t, b.Events, 1)
	ev := b.Events[0]
	require.NotEmpty(t, ev.TransactionID)
	require.False(t, ev.EventTimestamp.After(e.Now))
	require.Equal(t, ev.ConversionValue == nil, ev.Currency == "")
	require.Equal(t, ev.UserData != nil, b.Encoding == "HEX")
	require.True(t, len(ev.AdIdentifiers) > 0 || ev.UserData != nil)
	for _, id := range ev.AdIdentifiers {
		require.Regexp(t, `^[A-Za-z0-9_.-]+$`, id)
	}
	require.False(t, e.Storefront.Health() && ev.UserData != nil)
	if ev.UserData != nil {
		for _, id := range ev.UserData.UserIdentifiers {
			require.Len(t, id, 1)
			require.Regexp(t, `^[0-9a-f]{64}$`, id["emailAddress"]+id["phoneNumber"])
		}
	}
}

// The test event of a check has an order whose number leaves nowhere under the data policy health, also not as a click.
func TestATestEventHasAClickBesideItsOrder(t *testing.T) {
	t.Parallel()
	for _, c := range adaptertest.Load(t, "testdata") {
		if c.Name != "purchase_full" {
			continue
		}
		c.Event.Storefront.DataPolicy, c.Event.EventID = relay.DataPolicyHealth, "relay-test"
		c.Event.Payload = relay.Payload{"order_id": []byte(`"relay-test"`), "order_revenue": []byte("1.00"), "consent": []byte("true")}
		r, err := googleads.Adapter{}.TestRequest(c.Destination, c.Event)
		require.NoError(t, err)
		require.Contains(t, string(r.Body), `"gclid":"EAIaIQobChMI7f"`)
	}
}
