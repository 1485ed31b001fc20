package webhook_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/webhook"
	"relay/internal/relay"
)

// FuzzRequest looks for an event whose body is not what a receiver can read, or has more than the lists permit.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"tax":1e-99999,"items":[null,{"id":"\ud800"}]}`), "größe", "a.b", "items tax")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := receiver(func(map[string]string, map[string]relay.Secret, *relay.Options) {}), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow)}
		r, err := webhook.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r, strings.Fields(allow))
		again, err := webhook.Adapter{}.Request(d, e)
		require.NoError(t, err)
		require.Equal(t, string(r.Body), string(again.Body))
	})
}

func requireFit(t *testing.T, r relay.Request, allow []string) {
	t.Helper()
	var b struct {
		Type      string
		Timestamp string
		Data      struct {
			ID      string                     `json:"event_id"`
			Kind    string                     `json:"event_type"`
			User    map[string]json.RawMessage `json:"user"`
			Payload map[string]json.RawMessage `json:"payload"`
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.LessOrEqual(t, len(r.Body), 64<<10)
	require.NotEmpty(t, b.Type)
	require.Equal(t, b.Type, b.Data.Kind)
	require.Equal(t, b.Data.ID, r.Header[relay.HeaderWebhookID])
	require.NotContains(t, b.Data.ID, ".", "a dot ends the id in what is signed")
	require.Nil(t, b.Data.User, "identifiers are off")
	if len(allow) == 0 {
		require.LessOrEqual(t, len(b.Data.Payload), 2)
	}
	for field, v := range b.Data.Payload {
		require.NotContains(t, "{[n", string(v[0]), field)
		if field != "order_revenue" && field != "currency" {
			require.False(t, relay.IsPersonalField(field), field)
		}
	}
}
