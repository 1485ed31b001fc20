package mixpanel_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/mixpanel"
	"relay/internal/relay"
)

func project() relay.Destination {
	return relay.Destination{Key: "mixpanel", Settings: map[string]string{mixpanel.SettingResidency: "US"},
		Secrets: map[string]relay.Secret{mixpanel.SecretProjectToken: relay.NewSecret("s3cret-token")}, Options: relay.Options{Identifiers: "hashed"}}
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
	account := func(d *relay.Destination) {
		d.Settings[mixpanel.SettingAccount], d.Settings[mixpanel.SettingProjectID] = "relay.mp-service-account", "42"
		d.Secrets = map[string]relay.Secret{mixpanel.SecretAccount: relay.NewSecret("s3cret-of-account")}
	}
	for _, change := range []func(*relay.Destination){
		func(*relay.Destination) {}, account,
		func(d *relay.Destination) { d.Options.PlainIdentifiers = relay.BAASigned },
	} {
		d := project()
		change(&d)
		require.NoError(t, mixpanel.Adapter{}.Check(d))
	}
	for name, c := range map[string]struct {
		field  string
		change func(*relay.Destination)
	}{
		"no region":                    {"data_residency", func(d *relay.Destination) { delete(d.Settings, "data_residency") }},
		"neither token nor account":    {"project_token", func(d *relay.Destination) { clear(d.Secrets) }},
		"a token of two words":         {"project_token", func(d *relay.Destination) { d.Secrets["project_token"] = relay.NewSecret("two words") }},
		"an account without a project": {"project_id", func(d *relay.Destination) { account(d); delete(d.Settings, "project_id") }},
		"an account without a secret":  {"service_account_secret", func(d *relay.Destination) { account(d); clear(d.Secrets) }},
		"a secret without an account":  {"service_account_username", func(d *relay.Destination) { account(d); delete(d.Settings, "service_account_username") }},
		"an account with a colon":      {"service_account_username", func(d *relay.Destination) { account(d); d.Settings["service_account_username"] = "a:b" }},
		"an address without a scheme":  {"api_base_url", func(d *relay.Destination) { d.Settings["api_base_url"] = "api.mixpanel.com" }},
		"unknown identifiers":          {"identifiers", func(d *relay.Destination) { d.Options.Identifiers = "plain" }},
		"an unknown agreement":         {"plain_identifiers", func(d *relay.Destination) { d.Options.PlainIdentifiers = "yes" }},
	} {
		d := project()
		c.change(&d)
		require.ErrorContains(t, mixpanel.Adapter{}.Check(d), c.field+": ", name)
		_, err := mixpanel.Adapter{}.Request(d, purchase(t, `{}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: c.field}, err, name)
	}
}

// Mixpanel drops a copy only if its time is the same, too: also that of a clock ahead of ours.
func TestEveryAttemptHasTheSameBody(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"2026-11-23T07:00:00.905Z", "2026-11-23T08:00:30Z", "2026-11-24T08:00:00Z"} {
		e := purchase(t, `{"external_id":"cust_9","event_time":"`+at+`"}`)
		first, err := mixpanel.Adapter{}.Request(project(), e)
		require.NoError(t, err)
		e.Now = e.Now.Add(48 * time.Hour)
		later, err := mixpanel.Adapter{}.Request(project(), e)
		require.NoError(t, err)
		require.Equal(t, string(first.Body), string(later.Body))
		require.True(t, later.Repeatable)
	}
}

func TestAnOwnIDOfAnotherFormIsAHash(t *testing.T) {
	t.Parallel()
	for own, kept := range map[string]bool{"web-4711": true, "web.4711": false, strings.Repeat("a1", 18): true, strings.Repeat("a1", 19): false} {
		e := purchase(t, `{"event_id":"`+own+`"}`)
		e.Storefront.SendsPayloadEventID = true
		r, err := mixpanel.Adapter{}.Request(project(), e)
		require.NoError(t, err)
		require.Equal(t, kept, strings.Contains(string(r.Body), `"$insert_id":"`+own+`"`), own)
	}
}

// placeholderIDs are the ids that Mixpanel refuses.
var placeholderIDs = []string{"anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "0", "-1", "true", "false", "[]", "{}", "<nil>",
	"00000000-0000-0000-0000-000000000000"}

func TestAnIDThatMixpanelRefusesIsNobody(t *testing.T) {
	t.Parallel()
	for _, id := range placeholderIDs {
		r, err := mixpanel.Adapter{}.Request(project(), purchase(t, `{"external_id":"`+id+`"}`))
		require.NoError(t, err)
		require.Contains(t, string(r.Body), `"distinct_id":""`, id)
	}
}

// FuzzRequest looks for an event that Mixpanel would refuse.
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
		e.Type, e.Payload, e.Storefront.SendsPayloadEventID = eventType, payload, true
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow), Identifiers: "hashed", SendIP: true}
		r, err := mixpanel.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r, e)
	})
}

func requireFit(t *testing.T, r relay.Request, e relay.Event) {
	t.Helper()
	var list []struct {
		Event      string
		Properties map[string]any
	}
	require.NoError(t, json.Unmarshal(r.Body, &list))
	require.Len(t, list, 1)
	require.NotEmpty(t, list[0].Event)
	p := list[0].Properties
	require.Less(t, len(p), 255)
	require.Regexp(t, `^[A-Za-z0-9-]{1,36}$`, p["$insert_id"])
	require.LessOrEqual(t, p["time"], float64(e.Now.UnixMilli()))
	require.Greater(t, p["time"], 365*24*time.Hour.Seconds()*1000-1)
	require.NotContains(t, placeholderIDs, p["distinct_id"])
}
