package customerio_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	customerio "relay/adapters/customer_io"
	"relay/internal/relay"
)

func workspace() relay.Destination {
	return relay.Destination{Key: "customer_io", Settings: map[string]string{customerio.SettingSiteID: "site", customerio.SettingRegion: "US"},
		Secrets: map[string]relay.Secret{customerio.SecretAPIKey: relay.NewSecret("s3cret-key")}, Options: relay.Options{Identifiers: "hashed"}}
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
	d := workspace()
	d.Options.PlainIdentifiers = relay.BAASigned
	require.NoError(t, customerio.Adapter{}.Check(d))
	for field, change := range map[string]func(*relay.Destination){
		"site_id":           func(d *relay.Destination) { d.Settings["site_id"] = "a:b" },
		"region":            func(d *relay.Destination) { d.Settings["region"] = "UK" },
		"api_key":           func(d *relay.Destination) { d.Secrets["api_key"] = relay.NewSecret("two words") },
		"api_base_url":      func(d *relay.Destination) { d.Settings["api_base_url"] = "track.customer.io" },
		"identifiers":       func(d *relay.Destination) { d.Options.Identifiers = "plain" },
		"plain_identifiers": func(d *relay.Destination) { d.Options.PlainIdentifiers = "yes" },
	} {
		d := workspace()
		change(&d)
		require.ErrorContains(t, customerio.Adapter{}.Check(d), field+": ")
		_, err := customerio.Adapter{}.Request(d, purchase(t, `{"external_id":"cust_9"}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, err)
	}
}

// Customer.io drops a copy by the ULID, which has the time in it: also that of a clock ahead of ours.
func TestEveryAttemptHasTheSameBody(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"2026-11-23T07:00:00.905Z", "2026-11-23T08:00:30Z", "2026-11-24T08:00:00Z"} {
		e := purchase(t, `{"external_id":"cust_9","event_time":"`+at+`"}`)
		first, err := customerio.Adapter{}.Request(workspace(), e)
		require.NoError(t, err)
		e.Now = e.Now.Add(48 * time.Hour)
		later, err := customerio.Adapter{}.Request(workspace(), e)
		require.NoError(t, err)
		require.Equal(t, string(first.Body), string(later.Body))
		require.True(t, later.Repeatable)
	}
}

// The attributes that redirect a person's mail do not leave, however they are named to the relay.
func TestNoOptionLetsAnAttributeRedirectMail(t *testing.T) {
	t.Parallel()
	names := []string{"recipient", "from_address", "reply_to", "to", "from", "cc", "bcc", "Recipient", "FROM_ADDRESS", "replyTo", "reply-to"}
	payload := map[string]any{"external_id": "cust_9", "items": []map[string]any{{"id": "1", "recipient": "eve-1"}}}
	for i, name := range names {
		payload[name] = fmt.Sprintf("eve-%d", i)
	}
	text, err := json.Marshal(payload)
	require.NoError(t, err)
	d := workspace()
	for _, o := range []relay.Options{
		{Identifiers: "hashed", PlainIdentifiers: relay.BAASigned, SendIP: true, SendUserAgent: true, KeepURLQuery: true},
		{Identifiers: "hashed", PlainIdentifiers: relay.BAASigned, Allow: append([]string{"external_id", "items", "items.recipient"}, names...)},
	} {
		d.Options = o
		r, err := customerio.Adapter{}.Request(d, purchase(t, string(text)))
		require.NoError(t, err)
		require.NotRegexp(t, `(?i)eve-|recipient|from_?address|reply.?to|"(to|from|b?cc)"`, string(r.Body))
		require.Contains(t, r.Dropped, "recipient")
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	_, err := customerio.Adapter{}.Request(workspace(), purchase(t, `{"external_id":"`+strings.Repeat("x9", 17<<10)+`"}`))
	require.Equal(t, relay.Refuse(relay.ReasonTooLarge, "event_payload"), err)
}

var ulidForm = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// FuzzRequest looks for an event that Customer.io would refuse, and for one that it would take twice.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"external_id":"1","event_time":"0001-01-01T00:00:00Z"}`), "größe", "a b", "recipient")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := workspace(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", PlainIdentifiers: relay.BAASigned}
		r, err := customerio.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		var b struct {
			Name, ID    string
			Timestamp   int64
			Identifiers map[string]string
			Attributes  map[string]json.RawMessage
		}
		require.NoError(t, json.Unmarshal(r.Body, &b))
		require.NotEmpty(t, b.Name)
		require.Regexp(t, ulidForm, b.ID)
		require.Len(t, b.Identifiers, 1)
		require.LessOrEqual(t, b.Timestamp, e.Now.Unix())
		for attribute, v := range b.Attributes {
			require.LessOrEqual(t, len(v), 1000)
			require.NotContains(t, []string{"recipient", "from_address", "reply_to"}, attribute)
		}
	})
}
