package reddit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/reddit"
	"relay/internal/relay"
)

func pixel() relay.Destination {
	return relay.Destination{Key: "reddit", Settings: map[string]string{reddit.SettingPixelID: "a2_abc123"},
		Secrets: map[string]relay.Secret{reddit.SecretAccessToken: relay.NewSecret("s3cret-token")}, Options: relay.Options{Identifiers: "hashed"}}
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
	require.NoError(t, reddit.Adapter{}.Check(pixel()))
	for field, change := range map[string]func(*relay.Destination){
		"pixel_id":          func(d *relay.Destination) { d.Settings["pixel_id"] = "a2_../x" },
		"test_id":           func(d *relay.Destination) { d.Settings["test_id"] = "two words" },
		"access_token":      func(d *relay.Destination) { d.Secrets["access_token"] = relay.NewSecret("two words") },
		"api_base_url":      func(d *relay.Destination) { d.Settings["api_base_url"] = "ads-api.reddit.com" },
		"identifiers":       func(d *relay.Destination) { d.Options.Identifiers = "plain" },
		"plain_identifiers": func(d *relay.Destination) { d.Options.PlainIdentifiers = relay.BAASigned },
	} {
		d := pixel()
		change(&d)
		require.ErrorContains(t, reddit.Adapter{}.Check(d), field+": ")
		_, err := reddit.Adapter{}.Request(d, purchase(t, `{"email":"jane@example.com","order_revenue":1}`))
		require.Equal(t, &relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, err)
	}
}

// The hashes are those that Reddit publishes, and of its own rule for mailboxes.
func TestHashesAreThoseOfTheVendorsForm(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		" Alice@Example.com":         "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976",
		"Jane.Doe+rx@Example.COM":    "c4d25e9c90ff23e9145397bc6fbd5385ca5fbe78211222ccbecd0b369ebb19a6",
		"j-a_n.e.d'oe@example.com":   "c4d25e9c90ff23e9145397bc6fbd5385ca5fbe78211222ccbecd0b369ebb19a6",
		"janedoe+a.b+c@example.com ": "c4d25e9c90ff23e9145397bc6fbd5385ca5fbe78211222ccbecd0b369ebb19a6",
	} {
		text, err := json.Marshal(address)
		require.NoError(t, err)
		r, err := reddit.Adapter{}.Request(pixel(), purchase(t, `{"email":`+string(text)+`,"phone":"(415) 555-0132","order_revenue":1}`))
		require.NoError(t, err)
		require.Contains(t, string(r.Body), `"email":"`+want+`"`, address)
		require.Contains(t, string(r.Body), `"phone_number":"9e1919ad78a34fd67a84bfbcf2fea14074065517bea32e92924771c3f92e5462"`)
	}
	_, err := reddit.Adapter{}.Request(pixel(), purchase(t, `{"email":"+tag@example.com","order_revenue":1}`))
	var no *relay.Refusal
	require.ErrorAs(t, err, &no, "no mailbox is left")
	require.Equal(t, relay.ReasonMissingField, no.Reason)
}

// The pixel of the site hashes the id in its own case; in lower case it would be another person's.
func TestAnExternalIDIsHashedInItsOwnCase(t *testing.T) {
	t.Parallel()
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	d := pixel()
	d.Options.ExternalIDFromSession = true
	for payload, want := range map[string]string{
		`"external_id":" Cust_77 "`:                         sum("Cust_77"),
		`"external_id":"` + strings.ToUpper(sum("a")) + `"`: sum("a"),
		`"external_id":"Guest","session_id":"Sess_9"`:       sum("Sess_9"),
	} {
		r, err := reddit.Adapter{}.Request(d, purchase(t, `{"order_revenue":1,`+payload+`}`))
		require.NoError(t, err, payload)
		require.Contains(t, string(r.Body), `"external_id":"`+want+`"`, payload)
	}
}

func TestOnlyATestEventHasTheTestID(t *testing.T) {
	t.Parallel()
	d, e := pixel(), purchase(t, `{"email":"jane@example.com","order_revenue":1}`)
	_, err := reddit.Adapter{}.TestRequest(d, e)
	require.Equal(t, &relay.Refusal{Reason: relay.ReasonMissingField, Field: "test_id"}, err)
	d.Settings[reddit.SettingTestID] = "t2_test_1"
	r, err := reddit.Adapter{}.TestRequest(d, e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `{"data":{"test_id":"t2_test_1","events":[`)
	r, err = reddit.Adapter{}.Request(d, e)
	require.NoError(t, err)
	require.NotContains(t, string(r.Body), "test_id")
}

func TestABrowserAloneMatchesNoUser(t *testing.T) {
	t.Parallel()
	d := pixel()
	d.Options.SendUserAgent = true
	_, err := reddit.Adapter{}.Request(d, purchase(t, `{"user_agent":"UA/1","order_revenue":1}`))
	require.Equal(t, relay.Refuse(relay.ReasonMissingField, "rdt_cid, email, phone, external_id, _rdt_uuid or client_ip"), err)
	r, err := reddit.Adapter{}.Request(d, purchase(t, `{"user_agent":"UA/1","email":"jane@example.com","order_revenue":1}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"user_agent":"UA/1"`)
}

// Reddit takes a click from the page's query.
func TestAPageLeavesWithoutItsQuery(t *testing.T) {
	t.Parallel()
	d := pixel()
	d.Options = relay.Options{SendIP: true, KeepURLQuery: true}
	r, err := reddit.Adapter{}.Request(d, purchase(t, `{"page_location":"https://bosley.example/a?rdt_cid=cl1ck_9","rdt_cid":"cl1ck_9","client_ip":"203.0.113.9","order_revenue":1}`))
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"event_source_url":"https://bosley.example/a"`)
	require.NotContains(t, string(r.Body), "cl1ck_9")
}

// FuzzRequest looks for an event that Reddit would refuse.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"order_revenue":1e999999,"items":[null,{"id":"\ud800"}],"_rdt_uuid":"1.2","rdt_cid":" ","email":"..+@x.y"}`), "größe", "PURCHASE", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d, e := pixel(), purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		d.Options = relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true}
		r, err := reddit.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireFit(t, r, e.Now)
	})
}

func requireFit(t *testing.T, r relay.Request, now time.Time) {
	t.Helper()
	var b struct {
		Data struct {
			Events []struct {
				EventAt  int64           `json:"event_at"`
				ClickID  string          `json:"click_id"`
				Type     json.RawMessage `json:"type"`
				User     map[string]any  `json:"user"`
				Metadata struct {
					ConversionID string      `json:"conversion_id"`
					Value        json.Number `json:"value"`
					Currency     string      `json:"currency"`
				} `json:"metadata"`
			} `json:"events"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Len(t, b.Data.Events, 1)
	ev := b.Data.Events[0]
	var kind map[string]string
	require.NoError(t, json.Unmarshal(ev.Type, &kind))
	require.NotEmpty(t, kind["tracking_type"])
	require.Equal(t, kind["tracking_type"] == "CUSTOM", kind["custom_event_name"] != "")
	require.LessOrEqual(t, utf8.RuneCountInString(kind["custom_event_name"]), 64)
	require.NotEmpty(t, ev.Metadata.ConversionID)
	require.Equal(t, ev.Metadata.Value == "", ev.Metadata.Currency == "")
	require.False(t, kind["tracking_type"] == "PURCHASE" && ev.Metadata.Value == "")
	require.LessOrEqual(t, ev.EventAt, now.UnixMilli())
	delete(ev.User, "user_agent")
	delete(ev.User, "data_processing_options")
	require.True(t, ev.ClickID != "" || len(ev.User) > 0)
	for _, field := range []string{"email", "phone_number", "external_id"} {
		if v, ok := ev.User[field]; ok {
			require.Regexp(t, `^[0-9a-f]{64}$`, v)
		}
	}
}
