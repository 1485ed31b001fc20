package microsoftads_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	microsoftads "relay/adapters/microsoft_ads"
	"relay/internal/relay"
)

func tag() relay.Destination {
	return relay.Destination{Key: "microsoft_ads", Settings: map[string]string{microsoftads.SettingTagID: "12345678"},
		Secrets: map[string]relay.Secret{microsoftads.SecretAPIToken: relay.NewSecret("s3cret-token")}, Options: relay.Options{Identifiers: "hashed"}}
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
	require.NoError(t, microsoftads.Adapter{}.Check(tag()))
	for field, change := range map[string]func(*relay.Destination){
		"uet_tag_id":        func(d *relay.Destination) { d.Settings["uet_tag_id"] = "12/34" },
		"api_token":         func(d *relay.Destination) { d.Secrets["api_token"] = relay.NewSecret("two words") },
		"api_base_url":      func(d *relay.Destination) { d.Settings["api_base_url"] = "capi.uet.microsoft.com" },
		"identifiers":       func(d *relay.Destination) { d.Options.Identifiers = "plain" },
		"plain_identifiers": func(d *relay.Destination) { d.Options.PlainIdentifiers = relay.BAASigned },
	} {
		d := tag()
		change(&d)
		require.ErrorContains(t, microsoftads.Adapter{}.Check(d), field+": ")
		_, err := microsoftads.Adapter{}.Request(d, purchase(t, `{"email":"jane@example.com"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, err)
	}
}

// Addresses without dots and "+", on which the sources agree.
func TestHashesAreThoseOfTheVendorsOwnFormOfPlainValues(t *testing.T) {
	t.Parallel()
	r, err := microsoftads.Adapter{}.Request(tag(), purchase(t, `{"email":" Alice@Example.com","phone":"(415) 555-0132"}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"em":"ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976"`)
	require.Contains(t, string(r.Body), `"ph":"11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51"`)
}

// Microsoft compares external ids as they are, and the relay sends only the hash.
func TestAnExternalIDAloneMatchesNoUser(t *testing.T) {
	t.Parallel()
	_, err := microsoftads.Adapter{}.Request(tag(), purchase(t, `{"external_id":"Cust_77"}`))
	require.Equal(t, relay.Refuse(relay.ReasonMissingField, "msclkid, email or phone, or client_ip and user_agent"), err)
	r, err := microsoftads.Adapter{}.Request(tag(), purchase(t, `{"external_id":"Cust_77","email":"jane@example.com"}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"externalId":"`)
	require.NotContains(t, strings.ToLower(string(r.Body)), "cust_77")
}

// FuzzRequest looks for an event that Microsoft would refuse.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"msclkid":"------------------------------------"}`), "größe", "a b", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := tag(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := microsoftads.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		var b struct {
			Data []struct {
				EventName string
				EventID   string
				EventTime int64
				UserData  map[string]string
			}
		}
		require.NoError(t, json.Unmarshal(r.Body, &b))
		require.Len(t, b.Data, 1)
		require.NotEmpty(t, b.Data[0].EventName)
		require.NotEmpty(t, b.Data[0].EventID)
		require.NotEmpty(t, b.Data[0].UserData)
		require.LessOrEqual(t, b.Data[0].EventTime, e.Now.Unix())
		for _, field := range []string{"em", "ph", "externalId"} {
			require.Regexp(t, `^([0-9a-f]{64})?$`, b.Data[0].UserData[field])
		}
	})
}
