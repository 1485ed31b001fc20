package tracking_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
