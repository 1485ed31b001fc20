package segment_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/segment"
	"relay/adapters/tracking"
	"relay/internal/relay"
)

// workspace returns a source of a workspace in a region.
func workspace(region string) relay.Destination {
	return relay.Destination{Key: "segment", Settings: map[string]string{segment.SettingRegion: region},
		Secrets: map[string]relay.Secret{tracking.SecretWriteKey: relay.NewSecret("write-key")}}
}

func TestCheckAcceptsARegionOfSegments(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"", "US", "EU"} {
		require.NoError(t, segment.Adapter{}.Check(workspace(region)))
	}
	for _, region := range []string{"eu", "AP", "https://api.segment.io"} {
		require.ErrorContains(t, segment.Adapter{}.Check(workspace(region)), "region: ")
	}
}

// FuzzRequest looks for a call that Segment would refuse.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
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
		d, now := workspace(""), time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		e := relay.Event{EventID: "order_123", Type: eventType, Source: relay.SourceAPI, Payload: payload, CreatedAt: now, Now: now,
			Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", DataPolicy: relay.DataPolicyStandard}}
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := segment.Adapter{}.Request(d, e)
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
