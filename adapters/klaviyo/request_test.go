package klaviyo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/klaviyo"
	"relay/internal/relay"
)

func account() relay.Destination {
	return relay.Destination{Key: "klaviyo", Settings: map[string]string{},
		Secrets: map[string]relay.Secret{klaviyo.SecretPrivateKey: relay.NewSecret("pk_of-bosley")}, Options: relay.Options{Identifiers: "hashed"}}
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
	d := account()
	d.Options.PlainIdentifiers, d.Options.APIVersion = relay.BAASigned, "2026-10-15"
	require.NoError(t, klaviyo.Adapter{}.Check(d))
	for field, change := range map[string]func(*relay.Destination){
		"private_api_key":   func(d *relay.Destination) { d.Secrets["private_api_key"] = relay.NewSecret("AbCdEf") },
		"api_base_url":      func(d *relay.Destination) { d.Settings["api_base_url"] = "a.klaviyo.com" },
		"identifiers":       func(d *relay.Destination) { d.Options.Identifiers = "plain" },
		"plain_identifiers": func(d *relay.Destination) { d.Options.PlainIdentifiers = "yes" },
		"api_version":       func(d *relay.Destination) { d.Options.APIVersion = "v1" },
	} {
		d := account()
		change(&d)
		require.ErrorContains(t, klaviyo.Adapter{}.Check(d), field+": ")
		_, err := klaviyo.Adapter{}.Request(d, purchase(t, `{"external_id":"cust_9"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, err)
	}
}

// An old order is recorded and starts no flow, whether it is late or replayed.
func TestAnEventOfYesterdayStartsNoFlow(t *testing.T) {
	t.Parallel()
	for age, backfill := range map[time.Duration]bool{0: false, 24 * time.Hour: false, 24*time.Hour + time.Second: true, 3000 * time.Hour: true} {
		e := purchase(t, `{"external_id":"cust_9"}`)
		e.CreatedAt = e.Now.Add(-age)
		r, err := klaviyo.Adapter{}.Request(account(), e)
		require.NoError(t, err)
		require.Equal(t, backfill, strings.Contains(string(r.Body), `"backfill":true`), age)
		require.Zero(t, r.MaxAge)
	}
}

// FuzzRequest looks for an event that Klaviyo would refuse, and for a second identifier.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"email":"a@b.c","external_id":"1"}`), "größe", "a b", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := account(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", PlainIdentifiers: relay.BAASigned}
		r, err := klaviyo.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r)
	})
}

func requireFit(t *testing.T, r relay.Request) {
	t.Helper()
	var b struct {
		Data struct {
			Type       string
			Attributes struct {
				Properties map[string]any
				Time       time.Time
				UniqueID   string `json:"unique_id"`
				Metric     struct {
					Data struct{ Attributes struct{ Name string } }
				}
				Profile struct {
					Data struct{ Attributes map[string]string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	a := b.Data.Attributes
	require.NotEmpty(t, a.UniqueID)
	require.NotEmpty(t, a.Metric.Data.Attributes.Name)
	require.Less(t, len([]rune(a.Metric.Data.Attributes.Name)), 128)
	require.Len(t, a.Profile.Data.Attributes, 1)
	require.NotNil(t, a.Properties)
}
