package rudderstack_test

import (
	"encoding/json"
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

func TestCheckAcceptsAHostName(t *testing.T) {
	t.Parallel()
	for host, ok := range map[string]bool{
		"bosley.dataplane.rudderstack.com": true, "rudder.bosley.example:8080": true, "A-1.example": true,
		"": false, "localhost": false, "https://rudder.example": false, "rudder.example/v1": false, "user@rudder.example": false, "rudder..example": false,
		"-rudder.example": false, "rudder.example:port": false, "rudder.example?a=b": false, "rudder.example#a": false, "rudder .example": false,
	} {
		err := rudderstack.Adapter{}.Check(relay.Destination{Settings: map[string]string{rudderstack.SettingHost: host},
			Secrets: map[string]relay.Secret{tracking.SecretWriteKey: relay.NewSecret("write-key")}})
		if ok {
			require.NoError(t, err, host)
			continue
		}
		require.ErrorContains(t, err, rudderstack.SettingHost+": ", host)
	}
}

// FuzzRequest looks for an event that RudderStack would get in another form than Segment, whose own test looks at the form.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Identifiers)
	}
	f.Fuzz(func(t *testing.T, text []byte, eventType, identifiers string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) {
			t.Skip() // the inbox holds no such thing
		}
		now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		e := relay.Event{EventID: "order_123", Type: eventType, Source: relay.SourceAPI, Payload: payload, CreatedAt: now, Now: now,
			Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US"}}
		d := relay.Destination{Settings: map[string]string{rudderstack.SettingHost: "rudder.example"}, Options: relay.Options{Identifiers: identifiers},
			Secrets: map[string]relay.Secret{tracking.SecretWriteKey: relay.NewSecret("write-key")}}
		r, err := rudderstack.Adapter{}.Request(d, e)
		other, otherErr := segment.Adapter{}.Request(d, e)
		require.Equal(t, otherErr, err)
		require.Equal(t, string(other.Body), string(r.Body))
		require.False(t, r.Repeatable, "a second copy counts")
	})
}
