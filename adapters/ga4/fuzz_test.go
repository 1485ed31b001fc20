package ga4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/ga4"
	"relay/internal/relay"
)

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

var fit = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

// FuzzRequest looks for an event that Google would drop without a word.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"tax":1e-99999,"items":[null,{"id":"\ud800"}]}`), "größe", "ga_", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := stream(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true, KeepURLQuery: true}
		r, err := ga4.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r)
		again, err := ga4.Adapter{}.Request(d, e)
		require.NoError(t, err)
		require.Equal(t, string(r.Body), string(again.Body))
	})
}

func requireFit(t *testing.T, r relay.Request) {
	t.Helper()
	var b struct {
		ClientID  string `json:"client_id"`
		Timestamp int64  `json:"timestamp_micros"`
		Events    []struct {
			Name   string
			Params map[string]json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Less(t, len(r.Body), 130_001)
	require.NotEmpty(t, b.ClientID)
	require.Len(t, b.Events, 1)
	name := b.Events[0].Name
	require.Regexp(t, fit, name)
	require.Equal(t, name, r.EventName)
	for _, prefix := range []string{"_", "firebase_", "ga_", "google_", "gtag."} {
		require.False(t, strings.HasPrefix(name, prefix), name)
	}
	require.NotContains(t, []string{"error", "first_open", "first_visit", "session_start", "user_engagement", "ad_click", "app_remove",
		"in_app_purchase", "os_update", "screen_view", "notification_open"}, name)
	require.LessOrEqual(t, len(b.Events[0].Params), 25)
	for param, v := range b.Events[0].Params {
		require.Regexp(t, fit, param)
		require.False(t, strings.HasPrefix(param, "ga_") || strings.HasPrefix(param, "google_") || strings.HasPrefix(param, "firebase_"))
		requireScalar(t, param, v)
	}
}

func requireScalar(t *testing.T, param string, v json.RawMessage) {
	t.Helper()
	var s string
	switch {
	case param == "items":
		require.Equal(t, byte('['), v[0])
	case json.Unmarshal(v, &s) == nil:
		most := map[string]int{"page_location": 1000, "page_referrer": 420, "page_title": 300}[param]
		require.LessOrEqual(t, utf8.RuneCountInString(s), max(most, 100), param)
		require.NotEmpty(t, s, param)
	default:
		require.NotContains(t, "{[ntf", string(v[0]), param)
		require.LessOrEqual(t, len(v), 100, param)
	}
}
