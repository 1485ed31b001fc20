package snapchat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/snapchat"
	"relay/internal/relay"
)

func pixel(o relay.Options) relay.Destination {
	return relay.Destination{Key: "snapchat", Settings: map[string]string{snapchat.SettingPixelID: "5f2a-1c3e"},
		Secrets: map[string]relay.Secret{snapchat.SecretAccessToken: relay.NewSecret("t0ken/of+snap")}, Options: o}
}

func purchase(t testing.TB, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	return relay.Event{EventID: "order_456", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", DataPolicy: relay.DataPolicyStandard}, CreatedAt: now, Now: now}
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	require.NoError(t, snapchat.Adapter{}.Check(pixel(relay.Options{})))
	for field, breakIt := range map[string]func(*relay.Destination){
		"pixel_id: ":        func(d *relay.Destination) { d.Settings[snapchat.SettingPixelID] = "../events" },
		"access_token: ":    func(d *relay.Destination) { delete(d.Secrets, snapchat.SecretAccessToken) },
		"test_event_code: ": func(d *relay.Destination) { d.Settings[snapchat.SettingTestEventCode] = "two words" },
		"api_version: ":     func(d *relay.Destination) { d.Options.APIVersion = "three" },
		"is spelled PURCHASE": func(d *relay.Destination) {
			d.Options.Events = map[string]relay.EventRule{"purchase_completed": {Name: "Purchase"}}
		},
		"events: Snapchat has no event of the name set for rx_issued": func(d *relay.Destination) {
			d.Options.Events = map[string]relay.EventRule{"rx_issued": {Name: "CUSTOM_EVENT_6"}}
		},
	} {
		d := pixel(relay.Options{})
		breakIt(&d)
		require.ErrorContains(t, snapchat.Adapter{}.Check(d), field)
	}
	for _, name := range snapchat.Events.Standard {
		require.NoError(t, snapchat.Adapter{}.Check(pixel(relay.Options{Events: map[string]relay.EventRule{"x": {Name: name}}})))
	}
}

// A numeric order id is a text there too: an event_id that is a number would match no pixel's.
func TestIDsAreStrings(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"order_id":2025020100003333,"order_revenue":80.79,"email":"a@example.com"}`)
	r, err := snapchat.Adapter{}.Request(pixel(relay.Options{Identifiers: "hashed"}), e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"order_id":"2025020100003333"`)
	require.Contains(t, string(r.Body), `"event_id":"`+e.DedupID()+`"`)
	require.Contains(t, string(r.Body), `"value":80.79`)
	require.True(t, r.Repeatable)
}

func TestEveryCurrencyOfSnapIsAccepted(t *testing.T) {
	t.Parallel()
	require.Len(t, snapchat.Currencies, 60)
	require.True(t, slices.IsSorted(snapchat.Currencies))
	for _, c := range snapchat.Currencies {
		_, err := snapchat.Adapter{}.Request(pixel(relay.Options{Identifiers: "hashed"}),
			purchase(t, `{"order_revenue":1,"email":"a@example.com","currency":"`+strings.ToLower(c)+`"}`))
		require.NoError(t, err, c)
	}
}

func TestTheWindowIsSevenDays(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"order_revenue":1,"email":"a@example.com"}`)
	o := relay.Options{Identifiers: "hashed"}
	e.CreatedAt = e.Now.Add(-7 * 24 * time.Hour)
	_, err := snapchat.Adapter{}.Request(pixel(o), e)
	require.NoError(t, err)
	e.CreatedAt = e.CreatedAt.Add(-time.Second)
	_, err = snapchat.Adapter{}.Request(pixel(o), e)
	require.Equal(t, relay.Refuse(relay.ReasonTooOld, "event_time"), err)
	o.MaxAgeHours = 37 * 24
	_, err = snapchat.Adapter{}.Request(pixel(o), e)
	require.NoError(t, err)
}

// FuzzRequest looks for an event that Snap could not read.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d := pixel(relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true, KeepURLQuery: true, LimitedDataUse: true})
		e := purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		r, err := snapchat.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireSound(t, r)
		again, err := snapchat.Adapter{}.Request(d, e)
		require.NoError(t, err)
		require.Equal(t, string(r.Body), string(again.Body))
	})
}

func requireSound(t *testing.T, r relay.Request) {
	t.Helper()
	var b struct {
		Data []struct {
			Name   string `json:"event_name"`
			Time   int64  `json:"event_time"`
			Source string `json:"action_source"`
			URL    string `json:"event_source_url"`
			ID     string `json:"event_id"`
			User   struct {
				Email []string `json:"em"`
				Phone []string `json:"ph"`
				IP    string   `json:"client_ip_address"`
				Agent string   `json:"client_user_agent"`
			} `json:"user_data"`
			Custom struct {
				Value    *float64 `json:"value"`
				Currency string   `json:"currency"`
			} `json:"custom_data"`
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Len(t, b.Data, 1)
	ev := b.Data[0]
	require.Contains(t, snapchat.Events.Standard, ev.Name)
	require.Len(t, ev.ID, 32)
	require.LessOrEqual(t, ev.Time, int64(1795420800))
	if ev.Source == "WEB" {
		require.NotEmpty(t, ev.URL)
		require.NotEmpty(t, ev.User.Agent)
	}
	require.True(t, ev.User.Email != nil || ev.User.Phone != nil || ev.User.IP != "" && ev.User.Agent != "")
	for _, hash := range slices.Concat(ev.User.Email, ev.User.Phone) {
		require.Regexp(t, `^[0-9a-f]{64}$`, hash)
	}
	require.Equal(t, ev.Custom.Value != nil, slices.Contains(snapchat.Currencies, ev.Custom.Currency))
	require.True(t, ev.Custom.Value != nil || ev.Name != "PURCHASE")
}
