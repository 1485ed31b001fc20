package canonical_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

func TestMoneyIsExactOrRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		payload         string
		value, currency string
		refusal         relay.Refusal
	}{
		{`{"order_revenue":80.79}`, "80.79", "USD", relay.Refusal{}},
		{`{"order_revenue":"80.790"}`, "80.790", "USD", relay.Refusal{}},
		{`{"order_revenue":0}`, "0", "USD", relay.Refusal{}},
		{`{"order_revenue":null,"value":5,"currency":" gbp "}`, "5", "GBP", relay.Refusal{}},
		{`{"order_revenue":1e3}`, "1e3", "USD", relay.Refusal{}},
		{`{"currency":"EUR"}`, "", "", relay.Refusal{}},
		{`{"order_revenue":""}`, "", "", relay.Refusal{}},
		{`{"order_revenue":-1}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "order_revenue"}},
		{`{"order_revenue":"NaN"}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "order_revenue"}},
		{`{"order_revenue":"$80.79"}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "order_revenue"}},
		{`{"order_revenue":1e999}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "order_revenue"}},
		{`{"order_revenue":{}}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "order_revenue"}},
		{`{"value":true}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "value"}},
		{`{"order_revenue":1,"currency":"dollars"}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "currency"}},
		{`{"order_revenue":1,"currency":["EUR"]}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "currency"}},
		{`{"order_revenue":1,"currency":{"code":"EUR"}}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "currency"}},
		{`{"order_revenue":1,"currency":" "}`, "1", "USD", relay.Refusal{}},
		{`{"order_revenue":1,"currency":840}`, "", "", relay.Refusal{Reason: relay.ReasonInvalidField, Field: "currency"}},
	} {
		value, currency, err := open(t, c.payload, relay.Options{}).Money()
		if c.refusal != (relay.Refusal{}) {
			requireRefusal(t, c.refusal, err)
			continue
		}
		require.NoError(t, err, c.payload)
		require.Equal(t, c.value, string(value), c.payload)
		require.Equal(t, c.currency, currency, c.payload)
	}
	e := event(t, `{"order_revenue":1}`)
	e.Storefront.Currency = ""
	f, err := canonical.Open(relay.Destination{}, e, rules)
	require.NoError(t, err)
	_, _, err = f.Money()
	requireRefusal(t, relay.Refusal{Reason: relay.ReasonMissingField, Field: "currency"}, err)
}

// identifying are all ways to read something of a person.
func identifying(f *canonical.Fields) map[string]string {
	return map[string]string{
		"email": f.Email(), "phone": f.PhoneDigits(), "first": f.FirstName(), "last": f.LastName(), "city": f.City(),
		"state": f.State(), "zip": f.Zip(), "country": f.Country(), "gender": f.Gender(), "dob": f.Birthday(),
		"id": f.ExternalID(), "plain city": f.PlainCity(), "plain state": f.PlainState(), "plain country": f.PlainCountry(),
		"e164": f.PhoneE164(), "click": f.Identifier(nil, "fbclid"), "ip": f.IP(), "ua": f.UserAgent(),
	}
}

func TestADeniedRevenueIsDeniedUnderEachOfItsNames(t *testing.T) {
	t.Parallel()
	for deny, want := range map[string]string{"order_revenue": "", "Order-Revenue": "", "value": "1"} {
		value, _, err := open(t, `{"order_revenue":1,"value":2}`, relay.Options{Deny: []string{deny}}).Money()
		require.NoError(t, err)
		require.Equal(t, want, string(value), deny)
		value, currency, err := open(t, `{"value":2}`, relay.Options{Deny: []string{deny}}).Money()
		require.NoError(t, err)
		require.Empty(t, string(value)+currency, deny)
	}
}

func TestPersonalDataIsSentOnlyIfEnabled(t *testing.T) {
	t.Parallel()
	for _, o := range []relay.Options{{}, {Identifiers: canonical.NoIdentifiers}, {Identifiers: "yes"}, {ExternalIDFromSession: true}} {
		for name, got := range identifying(open(t, jane, o)) {
			require.Empty(t, got, name)
		}
	}
	f := open(t, jane, relay.Options{Identifiers: canonical.Hashed})
	for name, got := range identifying(f) {
		switch name {
		case "ip", "ua":
			require.Empty(t, got, name)
		case "click":
			require.Equal(t, "AbC", got, "unchanged")
		case "plain city":
			require.Equal(t, "sanfrancisco", got)
		case "plain state":
			require.Equal(t, "ca", got)
		case "plain country":
			require.Equal(t, "us", got)
		default:
			require.Len(t, got, 64, name)
		}
	}
	require.Equal(t, "11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51", f.PhoneDigits())
	require.Equal(t, "9e1919ad78a34fd67a84bfbcf2fea14074065517bea32e92924771c3f92e5462", f.PhoneE164())
	denied := open(t, jane, relay.Options{Identifiers: canonical.Hashed, Deny: []string{"email"}})
	require.Empty(t, denied.Email())
	require.Contains(t, denied.Dropped(), "email")
	session := open(t, `{"session_id":"Session_ABC"}`, relay.Options{Identifiers: canonical.Hashed, ExternalIDFromSession: true})
	require.Equal(t, "b075e555d866a3fd76353170e7635f6c79309d8a22090d3facbee3e502e662dd", session.ExternalID())
}

func TestOnlyAShoppersAddressIsAnAddress(t *testing.T) {
	t.Parallel()
	o := relay.Options{SendIP: true, SendUserAgent: true}
	for raw, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "2001:db8::9": "2001:db8::9", "::ffff:203.0.113.9": "203.0.113.9",
		"10.0.0.1": "", "192.168.1.4": "", "127.0.0.1": "", "0.0.0.0": "", "100.64.3.2": "", "fe80::1%eth0": "", "::1": "",
		"fd00::1": "", "169.254.1.1": "", "224.0.0.1": "", "255.255.255.255": "", "203.0.113.9:443": "", "host": "",
		"203.0.113.9, 198.51.100.1": "203.0.113.9", "unknown, 203.0.113.9": "203.0.113.9", "unknown": "", "10.0.0.1, 203.0.113.9": "", "host, 203.0.113.9": "", ",": "",
	} {
		f := open(t, `{"client_ip":"`+raw+`","user_agent":"UA/1"}`, o)
		require.Equal(t, want, f.IP(), raw)
		require.Equal(t, "UA/1", f.UserAgent())
	}
}

func TestItemsAreSentWithoutTheirNames(t *testing.T) {
	t.Parallel()
	const payload = `{"items":"none","line_items":[{"sku":7,"qty":"2","price":"19.90","name":"Finasteride","color":"red"},{"id":"b","quantity":0,"item_price":-1},{"name":"no id"},3]}`
	f := open(t, payload, relay.Options{})
	require.Equal(t, []canonical.Item{{ID: "7", Quantity: "2", Price: "19.90"}, {ID: "b"}}, f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory))
	require.Equal(t, []string{"items", "line_items.color", "line_items.item_price", "line_items.name", "line_items.quantity"}, f.Dropped())
	require.Len(t, f.Warnings, 1)
	f = open(t, payload, relay.Options{Allow: []string{"line_items", "item_name"}})
	require.Equal(t, "Finasteride", f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory)[0].Name)
	f = open(t, payload, relay.Options{Allow: []string{"line_items", "item_name"}})
	require.Empty(t, f.Items(canonical.ItemBrand)[0].Name)
	require.Contains(t, f.Dropped(), "line_items.name", "the platform has no place for it")
	require.Nil(t, open(t, payload, relay.Options{Deny: []string{"line_items"}}).Items())
	require.Nil(t, open(t, `{"items":[{"name":"x"}]}`, relay.Options{}).Items())
	require.Equal(t, json.Number("3"), open(t, `{"num_items":3}`, relay.Options{}).Integer("num_items"))
	require.Empty(t, open(t, `{"num_items":3.5}`, relay.Options{}).Integer("num_items"))
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	require.NoError(t, canonical.Check(relay.Destination{Options: relay.Options{
		Identifiers: "none", APIVersion: "v26.0", Events: map[string]relay.EventRule{"a": {Name: "Lead"}, "b": {Skip: true}},
	}, Settings: map[string]string{"api_base_url": "https://graph.example"}}))
	for field, d := range map[string]relay.Destination{
		"identifiers":   {Options: relay.Options{Identifiers: "plain"}},
		"api_version":   {Options: relay.Options{APIVersion: "v26.0/../x"}},
		"max_age_hours": {Options: relay.Options{MaxAgeHours: -1}},
		"events":        {Options: relay.Options{Events: map[string]relay.EventRule{"a": {Name: strings.Repeat("x", 101)}}}},
		"api_base_url":  {Settings: map[string]string{"api_base_url": "https://user@graph.example?x=1"}},
	} {
		err := canonical.Check(d)
		require.ErrorContains(t, err, field+": ")
		requireRefusal(t, relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, canonical.Refuse(err))
	}
	require.Error(t, canonical.CheckToken(relay.Destination{Secrets: map[string]relay.Secret{"t": relay.NewSecret("a\nb")}}, "t"))
	require.Error(t, canonical.CheckToken(relay.Destination{}, "t"))
}

func TestTheVersionOptionReplacesTheCatalogues(t *testing.T) {
	t.Parallel()
	at := func(base, version string) relay.Destination {
		return relay.Destination{Settings: map[string]string{"api_base_url": base}, Options: relay.Options{APIVersion: version}}
	}
	require.Equal(t, "https://a.example/v2", canonical.Base(relay.Destination{}, "https://a.example", "v2"))
	require.Equal(t, "https://b.example/open_api/v1.4", canonical.Base(at("https://b.example/open_api/v1.3/", ""), "https://a.example", "v1.4"))
	require.Equal(t, "http://127.0.0.1:1/x/v9", canonical.Base(at("http://127.0.0.1:1/x", "v9"), "https://a.example", "v2"))
}

func TestReadReturnsNoOutcomeWhereTheVendorsCodeDecides(t *testing.T) {
	t.Parallel()
	html := map[string]string{"Content-Type": "text/html"}
	for _, c := range []struct {
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
		decided bool
	}{
		{relay.Response{Status: 200, Body: []byte(`{"code":0}`)}, relay.Accepted, "", false},
		{relay.Response{Status: 400, Body: []byte(`{"code":1}`)}, relay.Rejected, relay.ReasonBadRequest, false},
		{relay.Response{Status: 400}, relay.Rejected, relay.ReasonBadRequest, true},
		{relay.Response{Status: 403, Body: []byte(`no`)}, relay.Unauthorized, relay.ReasonUnauthorized, true},
		{relay.Response{Status: 200}, relay.Retry, relay.ReasonNotJSON, true},
		{relay.Response{Status: 200, Body: []byte(`null`)}, relay.Retry, relay.ReasonNotJSON, true},
		{relay.Response{Status: 404, Header: html, Body: []byte(`<html>`)}, relay.Retry, relay.ReasonNotJSON, true},
		{relay.Response{Status: 302, Header: html, Body: []byte(`<html>`)}, relay.Rejected, relay.ReasonRedirect, true},
		{relay.Response{Status: 503, Body: []byte(`{"code":1}`)}, relay.Retry, relay.ReasonServerError, true},
		{relay.Response{Status: 429, Body: []byte(`{"code":1}`)}, relay.Retry, relay.ReasonThrottled, true},
		{relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout, true},
		{relay.Response{Sent: true, Repeatable: true, Status: 200, TransportError: relay.TransportCut}, relay.Retry, relay.ReasonNetwork, true},
		{relay.Response{Sent: true, Repeatable: true, Status: 400, TransportError: relay.TransportCut, Body: []byte(`{"er`)}, relay.Retry, relay.ReasonNetwork, true},
		{relay.Response{TransportError: relay.TransportAddress}, relay.Rejected, relay.ReasonAddressRefused, true},
	} {
		var body struct{ Code int }
		res, decided := canonical.Read(c.reply, &body)
		require.Equal(t, c.outcome, res.Outcome, "%+v", c.reply)
		require.Equal(t, c.reason, res.Reason, "%+v", c.reply)
		require.Equal(t, c.decided, decided, "%+v", c.reply)
	}
	require.Equal(t, "AbC-1_=", canonical.TraceID("AbC-1_="))
	require.Empty(t, canonical.TraceID("Invalid token abc"))
}

func TestAProductIsIdentifiedByItsOwnIDAndNotByItsLines(t *testing.T) {
	t.Parallel()
	f := open(t, `{"line_items":[{"id":1,"product_id":93,"sku":"W1"},{"id":2,"sku":"W2"},{"sku":"W3"}]}`, relay.Options{})
	require.Equal(t, []string{"93", "2", "W3"}, canonical.IDs(f.Items()))
}
