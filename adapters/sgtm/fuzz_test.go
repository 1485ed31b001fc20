package sgtm_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/measurement"
	"relay/adapters/sgtm"
	"relay/internal/relay"
)

var fit = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, c.Destination.Options.CustomAliases)
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[],"a":"\ud800"}`), "größe", "ga_", true)
	f.Fuzz(func(t *testing.T, text []byte, eventType, name string, aliases bool) {
		payload, err := relay.ParsePayload(text)
		if err != nil || eventType == "" || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		e := relay.Event{EventID: "row_1", Type: eventType, Source: relay.SourceAPI, Storefront: relay.Storefront{Code: "bosley", Currency: "USD"},
			Payload: payload, CreatedAt: time.Unix(1768473000, 0), Now: time.Unix(1768473000, 0)}
		o := relay.Options{CustomAliases: aliases, Allow: slices.Sorted(maps.Keys(payload)), Events: map[string]relay.EventRule{eventType: {Name: name}}}
		if aliases {
			o.Allow = nil
		}
		for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
			for _, consent := range []string{relay.ConsentEnforce, relay.ConsentForward} {
				o.Consent = consent
				requireRequest(t, client, o, e)
			}
		}
	})
}

// requireRequest wants a sound request, the same each time, or a refusal.
func requireRequest(t *testing.T, client string, o relay.Options, e relay.Event) {
	t.Helper()
	d := container(set(sgtm.SettingClientType, client))
	d.Options = o
	before := maps.Clone(e.Payload)
	r, err := sgtm.Adapter{}.Request(d, e)
	again, againErr := sgtm.Adapter{}.Request(d, e)
	require.Equal(t, err, againErr)
	require.Equal(t, before, e.Payload)
	require.Equal(t, string(r.Body), string(again.Body))
	require.Equal(t, r.Dropped, again.Dropped)
	if err != nil {
		var no *relay.Refusal
		require.ErrorAs(t, err, &no)
		require.True(t, client == sgtm.ClientGA4 || no.Skip || no.Field == "events" || no.Field == "allow", "%v", err)
		return
	}
	requireSound(t, r, e.Payload)
	if client == sgtm.ClientGA4 {
		requireFit(t, r.Body)
	}
}

func requireSound(t *testing.T, r relay.Request, payload relay.Payload) {
	t.Helper()
	_, err := url.Parse(r.URL)
	require.NoError(t, err)
	require.True(t, json.Valid(r.Body), "%s", r.Body)
	require.True(t, utf8.Valid(r.Body), "%q", r.Body)
	require.True(t, slices.IsSorted(r.Dropped))
	for _, field := range r.Dropped {
		if _, ok := payload[field]; !ok { // a part of one
			require.Contains(t, field, ".")
		}
	}
}

func requireFit(t *testing.T, body []byte) {
	t.Helper()
	var b measurement.Body
	require.NoError(t, json.Unmarshal(body, &b))
	require.NotEmpty(t, b.ClientID)
	require.Len(t, b.Events, 1)
	require.LessOrEqual(t, len(b.Events[0].Params), 25)
	require.Regexp(t, fit, b.Events[0].Name)
	for param, value := range b.Events[0].Params {
		if param == "x-ga-gcs" {
			require.Regexp(t, `^"G1[01-][01-]"$`, string(value))
			continue
		}
		require.Regexp(t, fit, param)
		require.False(t, relay.IsPersonalField(param), param)
		if param == "items" {
			continue
		}
		require.NotContains(t, "{[n", string(value[0]), "%s: %s", param, value)
	}
}
