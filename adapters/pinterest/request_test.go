package pinterest_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/pinterest"
	"relay/internal/relay"
)

func account(o relay.Options) relay.Destination {
	return relay.Destination{Key: "pinterest", Settings: map[string]string{pinterest.SettingAdAccountID: "549755885175"},
		Secrets: map[string]relay.Secret{pinterest.SecretAccessToken: relay.NewSecret("pina_t0ken")}, Options: o}
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
	require.NoError(t, pinterest.Adapter{}.Check(account(relay.Options{})))
	for field, breakIt := range map[string]func(*relay.Destination){
		"ad_account_id: ": func(d *relay.Destination) { d.Settings[pinterest.SettingAdAccountID] = "1234567890123456789" },
		"access_token: ":  func(d *relay.Destination) { delete(d.Secrets, pinterest.SecretAccessToken) },
		"events: ": func(d *relay.Destination) {
			d.Options.Events = map[string]relay.EventRule{"rx_issued": {Name: strings.Repeat("n", 101)}}
		},
	} {
		d := account(relay.Options{})
		breakIt(&d)
		require.ErrorContains(t, pinterest.Adapter{}.Check(d), field)
	}
}

// Sums are texts of digits: a number is refused, and so is an exponent.
func TestAmountsAreStrings(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		`80.79`: `"value":"80.79"`, `"80.790"`: `"value":"80.790"`, `0`: `"value":"0"`, `1e3`: `"value":"1000"`, `12.5E-1`: `"value":"1.25"`,
		`1e+2`: `"value":"100"`, `12345678901234567890`: `"value":"12345678901234567890"`, `0.000e0`: `"value":"0"`,
	} {
		r, err := pinterest.Adapter{}.Request(account(relay.Options{Identifiers: "hashed"}), purchase(t, `{"email":"a@example.com","order_revenue":`+written+`}`))
		require.NoError(t, err, written)
		require.Contains(t, string(r.Body), want, written)
		require.Contains(t, string(r.Body), `"currency":"USD"`)
	}
	for _, written := range []string{`1e300`, `1e-99999999`, `1e40`, `-1`} {
		_, err := pinterest.Adapter{}.Request(account(relay.Options{Identifiers: "hashed"}), purchase(t, `{"email":"a@example.com","order_revenue":`+written+`}`))
		require.Equal(t, relay.Refuse(relay.ReasonInvalidField, "order_revenue"), err, written)
	}
}

func TestTheWindowIsSevenDays(t *testing.T) {
	t.Parallel()
	e := purchase(t, `{"email":"a@example.com"}`)
	o := relay.Options{Identifiers: "hashed"}
	e.CreatedAt = e.Now.Add(-7 * 24 * time.Hour)
	_, err := pinterest.Adapter{}.Request(account(o), e)
	require.NoError(t, err)
	e.CreatedAt = e.CreatedAt.Add(-time.Second)
	_, err = pinterest.Adapter{}.Request(account(o), e)
	require.Equal(t, relay.Refuse(relay.ReasonTooOld, "event_time"), err)
}

func TestAPlaceholderUserAgentIsDropped(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"Other", "null", "NULL"} {
		r, err := pinterest.Adapter{}.Request(account(relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true}),
			purchase(t, `{"email":"a@example.com","client_ip":"0.0.0.0","user_agent":"`+agent+`"}`))
		require.NoError(t, err)
		require.Contains(t, string(r.Body), `"action_source":"offline"`)
		require.Equal(t, []string{"client_ip", "user_agent"}, r.Dropped)
	}
}

// Pinterest drops no second copy of an offline event, which an event of more than an hour is as well.
func TestOnlyARecentWebEventIsSentAgainWithoutAResponse(t *testing.T) {
	t.Parallel()
	const browser = `{"email":"a@example.com","user_agent":"UA/1"}`
	for name, c := range map[string]struct {
		payload    string
		age        time.Duration
		test       bool
		repeatable bool
	}{
		"of a browser":                    {browser, 0, false, true},
		"the next attempt is within":      {browser, 50 * time.Minute, false, true},
		"the next attempt may be late":    {browser, 50*time.Minute + time.Second, false, false},
		"late":                            {browser, time.Hour + time.Second, false, false},
		"without a browser":               {`{"email":"a@example.com"}`, 0, false, false},
		"only validated, without":         {`{"email":"a@example.com"}`, 0, true, true},
		"only validated, a day afterward": {browser, 24 * time.Hour, true, true},
	} {
		e := purchase(t, c.payload)
		e.CreatedAt = e.Now.Add(-c.age)
		r, err := pinterest.Adapter{}.Request(account(relay.Options{Identifiers: "hashed", SendUserAgent: true, Test: c.test}), e)
		require.NoError(t, err, name)
		require.Equal(t, c.repeatable, r.Repeatable, name)
	}
}

// FuzzRequest looks for an event of which Pinterest would refuse a key or the type of a value.
func FuzzRequest(f *testing.F) {
	for _, c := range adaptertest.Load(f, "testdata") {
		text, err := json.Marshal(c.Event.Payload)
		require.NoError(f, err)
		f.Add(text, c.Event.Type, c.Destination.Options.Events[c.Event.Type].Name, strings.Join(c.Destination.Options.Allow, " "))
	}
	f.Add([]byte(`{"email":"a@example.com","order_revenue":"1e-3","contents":[{"id":1,"price":1e9,"qty":1}]}`), "x", "custom", "")
	f.Fuzz(func(t *testing.T, text []byte, eventType, name, allow string) {
		payload, err := relay.ParsePayload(text)
		if err != nil || !utf8.ValidString(eventType) || !utf8.ValidString(name) {
			t.Skip() // the inbox holds no such thing
		}
		d := account(relay.Options{Events: map[string]relay.EventRule{eventType: {Name: name}}, Allow: strings.Fields(allow),
			Identifiers: "hashed", SendIP: true, SendUserAgent: true, KeepURLQuery: true})
		e := purchase(t, `{}`)
		e.Type, e.Payload = eventType, payload
		r, err := pinterest.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		requireClosed(t, r)
		again, err := pinterest.Adapter{}.Request(d, e)
		require.NoError(t, err)
		require.Equal(t, string(r.Body), string(again.Body))
	})
}

// schema is Pinterest's, written down once more: its keys and the types of their values.
//
// Source: github.com/pinterest/api-description @c05b1897, v5/openapi.json, ConversionEvents
type schema struct {
	Data []struct {
		Name   string `json:"event_name"`
		Source string `json:"action_source"`
		Time   int64  `json:"event_time"`
		ID     string `json:"event_id"`
		URL    string `json:"event_source_url"`
		OptOut bool   `json:"opt_out"`
		User   struct {
			Em, Ph, Ge, Db, Ln, Fn, Ct, St, Zp, Country []string
			ExternalID                                  []string `json:"external_id"`
			IP                                          string   `json:"client_ip_address"`
			Agent                                       string   `json:"client_user_agent"`
			ClickID                                     string   `json:"click_id"`
		} `json:"user_data"`
		Custom struct {
			Currency, Value string
			ContentIDs      []string `json:"content_ids"`
			Contents        []struct {
				ID       string
				Name     string `json:"item_name"`
				Category string `json:"item_category"`
				Brand    string `json:"item_brand"`
				Price    string `json:"item_price"`
				Quantity int
			}
			NumItems        int    `json:"num_items"`
			OrderID         string `json:"order_id"`
			SearchString    string `json:"search_string"`
			OptOutType      string `json:"opt_out_type"`
			PredictedLTV    string `json:"predicted_ltv"`
			ContentName     string `json:"content_name"`
			ContentCategory string `json:"content_category"`
			ContentBrand    string `json:"content_brand"`
		} `json:"custom_data"`
	}
}

func requireClosed(t *testing.T, r relay.Request) {
	t.Helper()
	var s schema
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&s), "%s", r.Body)
	require.Len(t, s.Data, 1)
	ev := s.Data[0]
	require.NotEmpty(t, ev.Name)
	require.LessOrEqual(t, utf8.RuneCountInString(ev.Name), 100)
	require.Contains(t, []string{"web", "offline"}, ev.Source)
	require.Equal(t, ev.Source == "web", ev.User.Agent != "")
	require.LessOrEqual(t, ev.Time, int64(1795420800), "no time in the future")
	require.Len(t, ev.ID, 32)
	require.True(t, ev.User.Em != nil || ev.User.IP != "" && ev.User.Agent != "")
	require.Equal(t, ev.Custom.Value != "", ev.Custom.Currency != "")
	const sum = `^([0-9]+(\.[0-9]+)?)?$`
	require.Regexp(t, sum, ev.Custom.Value)
	require.Regexp(t, sum, ev.Custom.PredictedLTV)
	for _, c := range ev.Custom.Contents {
		require.NotEmpty(t, c.ID)
		require.Regexp(t, sum, c.Price)
	}
}
