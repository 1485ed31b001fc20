package amplitude_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/amplitude"
	"relay/internal/relay"
)

func project() relay.Destination {
	return relay.Destination{Key: "amplitude", Settings: map[string]string{amplitude.SettingResidency: "US"},
		Secrets: map[string]relay.Secret{amplitude.SecretAPIKey: relay.NewSecret("s3cret-key")}, Options: relay.Options{Identifiers: "hashed"}}
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
	d := project()
	d.Options.PlainIdentifiers = relay.BAASigned
	require.NoError(t, amplitude.Adapter{}.Check(d))
	for field, change := range map[string]func(*relay.Destination){
		"data_residency":    func(d *relay.Destination) { d.Settings["data_residency"] = "IN" },
		"api_key":           func(d *relay.Destination) { d.Secrets["api_key"] = relay.NewSecret("two words") },
		"api_base_url":      func(d *relay.Destination) { d.Settings["api_base_url"] = "api2.amplitude.com" },
		"identifiers":       func(d *relay.Destination) { d.Options.Identifiers = "plain" },
		"plain_identifiers": func(d *relay.Destination) { d.Options.PlainIdentifiers = "yes" },
	} {
		d := project()
		change(&d)
		require.ErrorContains(t, amplitude.Adapter{}.Check(d), field+": ")
		_, err := amplitude.Adapter{}.Request(d, purchase(t, `{"external_id":"cust_9"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, err)
	}
}

func TestACopyIsDroppedForAWeek(t *testing.T) {
	t.Parallel()
	for age, repeatable := range map[time.Duration]bool{0: true, 7 * 24 * time.Hour: true, 7*24*time.Hour + time.Second: false} {
		e := purchase(t, `{"external_id":"cust_9"}`)
		e.CreatedAt = e.Now.Add(-age)
		r, err := amplitude.Adapter{}.Request(project(), e)
		require.NoError(t, err)
		require.Equal(t, repeatable, r.Repeatable, age)
	}
}

// The key is in the body, of which the record shows nothing of the kind.
func TestTheRecordHasNoKey(t *testing.T) {
	t.Parallel()
	r, err := amplitude.Adapter{}.Request(project(), purchase(t, `{"external_id":"cust_9","order_revenue":80.79}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"api_key":"s3cret-key"`)
	record := relay.RedactBody(r.Body)
	require.NotContains(t, record, "s3cret-key")
	require.NotContains(t, record, "cust_9")
}

// FuzzRequest looks for an event that Amplitude would refuse or drop.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"external_id":"1","event_time":"0001-01-01T00:00:00Z"}`), "größe", "a b", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := project(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow), Identifiers: "hashed", SendIP: true}
		r, err := amplitude.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		var b struct {
			Events []struct {
				UserID    string `json:"user_id"`
				EventType string `json:"event_type"`
				InsertID  string `json:"insert_id"`
				Time      int64
			}
			Options struct {
				Shortest int `json:"min_id_length"`
			}
		}
		require.NoError(t, json.Unmarshal(r.Body, &b))
		require.Len(t, b.Events, 1)
		require.NotEmpty(t, b.Events[0].EventType)
		require.NotEmpty(t, b.Events[0].InsertID)
		require.NotEmpty(t, b.Events[0].UserID)
		require.Equal(t, len([]rune(b.Events[0].UserID)) < 5, b.Options.Shortest == 1)
		require.LessOrEqual(t, b.Events[0].Time, e.Now.UnixMilli())
	})
}
