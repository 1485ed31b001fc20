package sgtm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/sgtm"
	"relay/internal/relay"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, sgtm.Adapter{})
}

func TestLongValuesAreCutForClientGA4Only(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"utm_content", "coupon", "order_id", "t-value", "note", strings.Repeat("n", 90)} {
		long := strings.Repeat("ü", (relay.MaxPayload-300)/2)
		p, err := relay.ParsePayload([]byte(`{"` + field + `":"` + long + `"}`))
		require.NoError(t, err)
		for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
			d := container(set(sgtm.SettingClientType, client))
			d.Options.Allow = []string{field}
			r, err := sgtm.Adapter{}.Request(d, relay.Event{EventID: "o_1", Type: "x", Source: relay.SourceAPI, Payload: p})
			require.NoError(t, err)
			require.True(t, json.Valid(r.Body))
			require.Equal(t, client == sgtm.ClientCustom, strings.Contains(string(r.Body), long), field)
			require.Contains(t, string(r.Body), strings.Repeat("ü", 100), field)
			require.Less(t, len(r.Body), 130_000, field)
		}
	}
}

func TestDenyWithholdsAnOwnEventID(t *testing.T) {
	t.Parallel()
	p, err := relay.ParsePayload([]byte(`{"event_id":"own-1"}`))
	require.NoError(t, err)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p,
		Storefront: relay.Storefront{Code: "bosley", SendsPayloadEventID: true}}
	for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
		d := container(set(sgtm.SettingClientType, client))
		for id, deny := range map[string][]string{"own-1": nil, e.HashedID(): {"event_id"}} {
			d.Options.Deny = deny
			r, err := sgtm.Adapter{}.Request(d, e)
			require.NoError(t, err)
			require.Contains(t, string(r.Body), `"event_id":"`+id+`"`, client)
		}
	}
}

func TestAliasesReadMoneyUnderAnySpelling(t *testing.T) {
	t.Parallel()
	d := container(set(sgtm.SettingClientType, sgtm.ClientCustom))
	d.Options.CustomAliases = true
	for payload, want := range map[string]string{
		`"order_revenue":10`: `10 "USD"`, `"order_revenue":10,"currency_code":"eur"`: `10 "EUR"`, `"order_revenue":"10.50","order_currency_code":"CAD"`: `10.50 "CAD"`,
		`"orderRevenue":7,"Order-Currency":"GBP"`: `7 "GBP"`, `"order_revenue":1,"ecommerce":{"currency":"SEK"}`: `1 "SEK"`, `"value":2,"currencyCode":"CHF"`: `2 "CHF"`,
		`"order_revenue":1,"currency_code":["EUR"]`: `1 `, `"order_revenue":"€5"`: ` `,
	} {
		p, err := relay.ParsePayload([]byte("{" + payload + "}"))
		require.NoError(t, err)
		r, err := sgtm.Adapter{}.Request(d, relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p,
			Storefront: relay.Storefront{Code: "bosley", Currency: "USD"}})
		require.NoError(t, err)
		body, err := relay.ParsePayload(r.Body)
		require.NoError(t, err)
		require.Equal(t, want, string(body["value"])+" "+string(body["currency"]), payload)
	}
}
