package ga4_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/ga4"
	"relay/internal/relay"
)

func stream() relay.Destination {
	return relay.Destination{Key: "ga4", Settings: map[string]string{ga4.SettingMeasurementID: "G-BOSLEY1234"},
		Secrets: map[string]relay.Secret{ga4.SecretAPI: relay.NewSecret("s3cret")}}
}

func purchase(t testing.TB, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	return relay.Event{EventID: "order_456", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", DataPolicy: relay.DataPolicyStandard}, CreatedAt: now, Now: now}
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	require.NoError(t, ga4.Adapter{}.Check(stream()))
	for field, breakIt := range map[string]func(*relay.Destination){
		"measurement_id: ": func(d *relay.Destination) { d.Settings[ga4.SettingMeasurementID] = "UA-1234-1" },
		"api_secret: ":     func(d *relay.Destination) { d.Secrets[ga4.SecretAPI] = relay.NewSecret("line\nbreak") },
		"api_base_url: ":   func(d *relay.Destination) { d.Settings["api_base_url"] = "analytics" },
		"identifiers: ":    func(d *relay.Destination) { d.Options.Identifiers = "plain" },
	} {
		d := stream()
		breakIt(&d)
		require.ErrorContains(t, ga4.Adapter{}.Check(d), field)
	}
}

func TestTheWindowIsThreeDays(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"order_id":"order_456","order_revenue":1}`)
	e.CreatedAt = e.Now.Add(-72 * time.Hour)
	r, err := ga4.Adapter{}.Request(stream(), e)
	require.NoError(t, err)
	require.Equal(t, 72*time.Hour, r.MaxAge)
	e.CreatedAt = e.CreatedAt.Add(-time.Second)
	_, err = ga4.Adapter{}.Request(stream(), e)
	require.Equal(t, relay.Refuse(relay.ReasonTooOld, "event_time"), err)
}

// The fixture of segment's: 2022-06-22T22:20:58.905Z keeps its sub-second digits.
func TestTimeIsInMicroseconds(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"order_id":"1","event_time":"2022-06-22T22:20:58.905Z"}`)
	e.Now = time.Date(2022, 6, 23, 0, 0, 0, 0, time.UTC)
	r, err := ga4.Adapter{}.Request(stream(), e)
	require.NoError(t, err)
	require.Contains(t, string(r.Body), `"timestamp_micros":1655936458905000`)
}

func TestOnlyAPurchaseWithAnOrderIDMayBeSentTwice(t *testing.T) {
	t.Parallel()
	repeatable := func(e relay.Event, o relay.Options) bool {
		d := stream()
		d.Options = o
		r, err := ga4.Adapter{}.Request(d, e)
		require.NoError(t, err)
		return r.Repeatable
	}
	e := purchase(t, `{"order_id":"order_456","order_revenue":1}`)
	lead := e
	lead.Type = "consult_started"
	require.True(t, repeatable(e, relay.Options{}))
	require.False(t, repeatable(e, relay.Options{Deny: []string{"order_id"}}))
	require.False(t, repeatable(lead, relay.Options{}))
	require.True(t, repeatable(lead, relay.Options{Test: true}), "nothing is recorded")
	require.True(t, repeatable(lead, relay.Options{Events: map[string]relay.EventRule{lead.Type: {Name: "purchase"}}}))
}

// Google's user data is hashed by Google's rules: Gmail's addresses without dots, names with their inner spaces.
func TestUserDataFollowsGooglesRules(t *testing.T) {
	t.Parallel()
	d := stream()
	d.Options.Identifiers = "hashed"
	for payload, want := range map[string]string{
		`{"email":"Jane.Doe@GMail.com"}`:                         `"sha256_email_address":["` + sha("janedoe@gmail.com") + `"]`,
		`{"email":"j.d@googlemail.com"}`:                         `"sha256_email_address":["` + sha("jd@googlemail.com") + `"]`,
		`{"email":"Jane.Doe@example.com"}`:                       `"sha256_email_address":["` + sha("jane.doe@example.com") + `"]`,
		`{"phone":"+1 (415) 555-0132"}`:                          `"sha256_phone_number":["9e1919ad78a34fd67a84bfbcf2fea14074065517bea32e92924771c3f92e5462"]`,
		`{"external_id":" Session_ABC "}`:                        `"user_id":"b075e555d866a3fd76353170e7635f6c79309d8a22090d3facbee3e502e662dd"`,
		`{"first_name":"Jean-Luc 2","last_name":" De  la Cruz"}`: `"sha256_first_name":"` + sha("jeanluc") + `","sha256_last_name":"` + sha("de la cruz") + `"`,
		`{"first_name":"A","last_name":"B","city":"São  Paulo","country":"Brazil","zip":"01310-100"}`: `"city":"são paulo","postal_code":"01310100","country":"BR"`,
	} {
		r, err := ga4.Adapter{}.Request(d, purchase(t, payload))
		require.NoError(t, err)
		require.Contains(t, string(r.Body), want, payload)
	}
	r, err := ga4.Adapter{}.Request(d, purchase(t, `{"email":"...@gmail.com","city":"Rome","first_name":"!","last_name":"?"}`))
	require.NoError(t, err)
	require.NotContains(t, string(r.Body), "user_data")
}

// Values that must never leave by default: Google forbids them as parameters anyway.
func TestAStreamWithDefaultOptionsReceivesNoPersonalData(t *testing.T) {
	t.Parallel()
	for _, c := range adaptertest.Load(t, "testdata") {
		c.Destination.Options = relay.Options{}
		r, err := ga4.Adapter{}.Request(c.Destination, c.Event)
		if err != nil {
			continue
		}
		for _, field := range []string{"email", "phone", "first_name", "last_name", "city", "zip", "dob", "external_id", "client_ip",
			"user_agent", "session_id", "ga_client_id", "gclid", "diagnosis", "page_title", "utm_term"} {
			if v := c.Event.Payload.Text(field); v != "" {
				require.NotContains(t, string(r.Body), strings.TrimSpace(v), "%s: %s", c.Name, field)
				require.Contains(t, r.Dropped, field, c.Name)
			}
		}
		require.False(t, slices.Contains(r.Dropped, "order_id") && c.Event.Source == relay.SourceAPI, c.Name)
	}
}

func TestItemsOverTheLimitAreDropped(t *testing.T) {
	t.Parallel()
	line := `{"item_id":"sku","price":1},`
	e := purchase(t, `{"order_id":"1","items":[`+strings.Repeat(line, 250)+line[:len(line)-1]+`]}`)
	r, err := ga4.Adapter{}.Request(stream(), e)
	require.NoError(t, err)
	var b struct {
		Events []struct {
			Params struct{ Items []json.RawMessage }
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &b))
	require.Len(t, b.Events[0].Params.Items, 200)
	require.NotEmpty(t, r.Warnings)
}

func TestABodyThatIsTooLargeForGoogleIsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("漢", 100)
	line := `{"item_id":"` + long + `","item_name":"` + long + `","item_brand":"` + long + `"},`
	d := stream()
	d.Options.Allow = []string{"items", "item_name", "item_brand"}
	_, err := ga4.Adapter{}.Request(d, purchase(t, `{"items":[`+strings.Repeat(line, 199)+line[:len(line)-1]+`]}`))
	require.Equal(t, relay.Refuse(relay.ReasonTooLarge, "items"), err)
}
