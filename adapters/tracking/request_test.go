package tracking_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/rudderstack"
	"relay/adapters/segment"
	"relay/adapters/tracking"
	"relay/internal/relay"
)

// vendors are the two that have this API.
var vendors = map[string]relay.Adapter{"segment": segment.Adapter{}, "rudderstack": rudderstack.Adapter{}}

// source returns a destination that works at either.
func source() relay.Destination {
	return relay.Destination{Settings: map[string]string{rudderstack.SettingHost: "bosley.dataplane.rudderstack.com:8443"},
		Secrets: map[string]relay.Secret{tracking.SecretWriteKey: relay.NewSecret("write-key")}, Options: relay.Options{Identifiers: "hashed"}}
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
	key := func(s string) func(*relay.Destination) {
		return func(d *relay.Destination) { d.Secrets[tracking.SecretWriteKey] = relay.NewSecret(s) }
	}
	for name, a := range vendors {
		require.NoError(t, a.Check(source()), name)
		for _, c := range []struct {
			field  string
			change func(*relay.Destination)
		}{
			{"write_key", key("")},
			{"write_key", key("two words")},
			{"write_key", key("a:b")},
			{"api_base_url", func(d *relay.Destination) { d.Settings["api_base_url"] = "api.segment.io" }},
			{"api_version", func(d *relay.Destination) { d.Options.APIVersion = "1" }},
			{"identifiers", func(d *relay.Destination) { d.Options.Identifiers = "plain" }},
			{"plain_identifiers", func(d *relay.Destination) { d.Options.PlainIdentifiers = "yes" }},
		} {
			d := source()
			c.change(&d)
			require.ErrorContains(t, a.Check(d), c.field+": ", name)
			_, err := a.Request(d, purchase(t, `{}`))
			require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: c.field}, err, name)
		}
	}
}

func TestTheWriteKeyIsTheUserOfHTTPBasic(t *testing.T) {
	t.Parallel()
	for name, a := range vendors {
		r, err := a.Request(source(), purchase(t, `{}`))
		require.NoError(t, err)
		require.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("write-key:")), r.Header["Authorization"], name)
	}
}

// FuzzRequest looks for a call that a vendor would refuse.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "../segment/testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"anonymous_id":"\"\""}`), "größe", "a b", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := source(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := segment.Adapter{}.Request(d, e)
		second, otherErr := rudderstack.Adapter{}.Request(d, e)
		require.Equal(t, err, otherErr)
		require.Equal(t, r.Body, second.Body, "the API is one")
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
		Event       string
		UserID      string `json:"userId"`
		AnonymousID string `json:"anonymousId"`
		MessageID   string `json:"messageId"`
		Timestamp   time.Time
		Properties  struct {
			Revenue, Total json.Number
			Currency       string
			Products       []map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.LessOrEqual(t, len(r.Body), 32<<10)
	require.NotEmpty(t, b.Event)
	require.NotEmpty(t, b.MessageID)
	require.NotEmpty(t, b.UserID+b.AnonymousID)
	require.False(t, b.Timestamp.IsZero())
	require.Equal(t, b.Properties.Revenue+b.Properties.Total == "", b.Properties.Currency == "")
	for _, p := range b.Properties.Products {
		require.NotEmpty(t, p)
	}
}
