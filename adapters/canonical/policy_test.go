package canonical_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// treated is an event in which every field names the treatment.
const treated = `{
	"event_id": "hiv-prep.order_123", "order_id": "order_123", "storefront_id": "bosley", "order_revenue": 80.79, "currency": "EUR",
	"t-value": "hiv_affiliate", "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "hiv_prep", "utm_term": "hiv", "utm_content": "hiv",
	"page_location": "https://clinic.example:8443/treatments/hiv-prep?step=2", "page_referrer": "https://search.example/hiv", "coupon": "HIV10",
	"items": [{"sku": "hiv-prep-30", "item_name": "hiv prep", "brand": "hiv", "category": "hiv", "quantity": 2, "price": "40.10"}, {"quantity": 1}, {"sku": "hiv"}]
}`

// healthy opens an event of a storefront with the default data policy.
func healthy(t *testing.T, payload string, o relay.Options) *canonical.Fields {
	t.Helper()
	e := event(t, payload)
	e.Storefront.DataPolicy = ""
	f, err := canonical.Open(relay.Destination{Options: o}, e, rules)
	require.NoError(t, err)
	return f
}

var allParts = []string{canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory}

func TestHealthWithholdsFieldsThatMayNameACondition(t *testing.T) {
	t.Parallel()
	f := healthy(t, treated, relay.Options{KeepURLQuery: true, Identifiers: canonical.Hashed})
	require.Equal(t, "https://clinic.example:8443", f.SourceURL())
	require.Empty(t, f.Referrer())
	require.Equal(t, canonical.Campaign{UTMSource: "google", UTMMedium: "cpc"}, f.Campaign())
	require.Empty(t, f.Text("coupon"))
	require.Empty(t, f.Storefront())
	require.Equal(t, relay.ShortHash("bosley:order_id:order_123"), f.OrderID())
	require.Equal(t, []canonical.Item{{Quantity: "2", Price: "40.10"}, {Quantity: "1"}}, f.Items(allParts...))
	value, currency, err := f.Money()
	require.NoError(t, err)
	require.Equal(t, "80.79 EUR", string(value)+" "+currency)
	held := map[string]bool{}
	for _, w := range f.Withheld() {
		held[w.Field] = true
		require.Contains(t, w.Why, "health")
	}
	for _, field := range []string{"page_location", "page_referrer", "utm_campaign", "utm_term", "utm_content", "t-value", "coupon", "storefront_id", "order_id",
		"items.sku", "items.item_name", "items.brand", "items.category"} {
		require.True(t, held[field], field)
	}
	require.Contains(t, f.Dropped(), "items.sku")
	require.Contains(t, f.Dropped(), "coupon")
	require.NotContains(t, f.Dropped(), "order_id", "it was sent as a hash")
}

func TestHealthSendsFieldsThatAllowNames(t *testing.T) {
	t.Parallel()
	for allow, read := range map[string]func(*canonical.Fields) string{
		"page_location": (*canonical.Fields).SourceURL,
		"page_referrer": (*canonical.Fields).Referrer,
		"coupon":        func(f *canonical.Fields) string { return f.Text("coupon") },
		"utm_campaign":  func(f *canonical.Fields) string { return f.Campaign().UTMCampaign },
		"utm_term":      func(f *canonical.Fields) string { return f.Campaign().UTMTerm },
		"t-value":       func(f *canonical.Fields) string { return f.Campaign().AffiliateID },
		"order_id":      (*canonical.Fields).OrderID,
		"storefront_id": (*canonical.Fields).Storefront,
	} {
		got := read(healthy(t, treated, relay.Options{Allow: []string{allow}}))
		require.Contains(t, map[string]string{
			"page_location": "https://clinic.example:8443/treatments/hiv-prep", "page_referrer": "https://search.example/hiv", "coupon": "HIV10",
			"utm_campaign": "hiv_prep", "utm_term": "hiv", "t-value": "hiv_affiliate", "order_id": "order_123", "storefront_id": "bosley",
		}[allow], got)
		require.NotEmpty(t, got, allow)
	}
	for _, c := range []struct {
		allow []string
		want  []canonical.Item
	}{
		{[]string{"items"}, []canonical.Item{{Quantity: "2", Price: "40.10"}, {Quantity: "1"}}},
		{[]string{"items", "items.sku"}, []canonical.Item{{ID: "hiv-prep-30", Quantity: "2", Price: "40.10"}, {Quantity: "1"}, {ID: "hiv"}}},
		{[]string{"items", "item_id"}, []canonical.Item{{ID: "hiv-prep-30", Quantity: "2", Price: "40.10"}, {Quantity: "1"}, {ID: "hiv"}}},
		{[]string{"items.sku"}, []canonical.Item{{ID: "hiv-prep-30"}, {ID: "hiv"}}},
		{[]string{"items.quantity", "items.item_brand"}, []canonical.Item{{Quantity: "2", Brand: "hiv"}, {Quantity: "1"}}},
		{[]string{"items", "item_name"}, []canonical.Item{{Quantity: "2", Price: "40.10", Name: "hiv prep"}, {Quantity: "1"}}},
		{[]string{"utm_source"}, nil},
	} {
		require.Equal(t, c.want, healthy(t, treated, relay.Options{Allow: c.allow}).Items(allParts...), c.allow)
	}
}

func TestThePolicyDoesNotApplyToAContainer(t *testing.T) {
	t.Parallel()
	e := event(t, treated)
	e.Storefront.DataPolicy = ""
	f, err := canonical.Open(relay.Destination{}, e, canonical.Rules{Names: rules.Names, Container: true})
	require.NoError(t, err)
	require.Equal(t, "https://clinic.example:8443/treatments/hiv-prep", f.SourceURL())
	require.Equal(t, "order_123", f.OrderID())
	require.Equal(t, "HIV10", f.Text("coupon"))
}

func TestPartsOfItemsCanBeDenied(t *testing.T) {
	t.Parallel()
	const payload = `{"line_items":[{"sku":"A","id":"B","quantity":2,"price":1,"title":"T"}]}`
	for _, c := range []struct {
		deny []string
		want canonical.Item
	}{
		{nil, canonical.Item{ID: "B", Quantity: "2", Price: "1", Name: "T"}},
		{[]string{"items.id"}, canonical.Item{ID: "A", Quantity: "2", Price: "1", Name: "T"}},
		{[]string{"line_items.id", "line_items.SKU"}, canonical.Item{Quantity: "2", Price: "1", Name: "T"}},
		{[]string{"items.item_id"}, canonical.Item{Quantity: "2", Price: "1", Name: "T"}},
		{[]string{"item_id"}, canonical.Item{Quantity: "2", Price: "1", Name: "T"}},
		{[]string{"items.price", "items.title"}, canonical.Item{ID: "B", Quantity: "2"}},
		{[]string{"item_name"}, canonical.Item{ID: "B", Quantity: "2", Price: "1"}},
	} {
		f := open(t, payload, relay.Options{Allow: []string{"line_items", "item_name"}, Deny: c.deny})
		require.Equal(t, []canonical.Item{c.want}, f.Items(allParts...), c.deny)
	}
	require.Nil(t, open(t, `{"line_items":[{"id":"x"}]}`, relay.Options{Deny: []string{"items.id"}}).Items(), "nothing is left of the line")
}

func TestNamesThatCannotMatchAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", " ", " email", "email\n", "_", "items.", ".sku", "items..sku", "items.*", "items[].sku", "items[0].sku", "items.a.b",
		"user.preferences.colour", "cart.sku", "billing..email", "{}"} {
		for field, o := range map[string]relay.Options{"allow: ": {Allow: []string{"email", name}}, "deny: ": {Deny: []string{name}}} {
			require.ErrorContains(t, canonical.Check(relay.Destination{Options: o}), field, "%q", name)
			require.NoError(t, canonical.Ready(relay.Destination{Options: o}, canonical.Check), "options saved earlier stop no event")
		}
	}
	for _, name := range []string{"email", "E-Mail", "diagnosis", "t-value", "items.sku", "items.item_id", "line_items.name", "Items.SKU", "billing.email",
		"billing", "billing_address.zip", "ecommerce.items", "ecommerce.items.sku", "user_data.address", "größe"} {
		require.NoError(t, canonical.CheckLists(relay.Options{Allow: []string{name}, Deny: []string{name}}), name)
	}
}

func TestFieldsAreReadInTheSpellingsOfShops(t *testing.T) {
	t.Parallel()
	o := relay.Options{Identifiers: canonical.Hashed, SendIP: true, SendUserAgent: true}
	want := open(t, `{"email":"jane@shop.example","phone":"+14155550132","first_name":"Jane","last_name":"Doe","city":"Reno","state":"NV","zip":"89501","country":"US",
		"dob":"1990-12-31","ip":"203.0.113.9","user_agent":"UA/1"}`, o)
	for name, payload := range map[string]string{
		"woocommerce": `{"billing":{"email":"Jane@shop.example","phone":"(415) 555-0132","first_name":"Jane","last_name":"Doe","city":"Reno","state":"NV","postcode":"89501",
			"country":"US"},"shipping":{"first_name":"Joe"},"customer_ip_address":"203.0.113.9","customer_user_agent":"UA/1","dob":"12/31/1990"}`,
		"shopify": `{"customer":{"email":"jane@shop.example","first_name":"Jane","last_name":"Doe","date_of_birth":"1990-12-31"},"billing_address":{"phone":"415-555-0132",
			"city":"Reno","province_code":"NV","zip":"89501","country_code":"US"},"client_details":{"browser_ip":"203.0.113.9","user_agent":"UA/1"}}`,
		"magento": `{"customer_email":"jane@shop.example","customer_firstname":"Jane","customer_lastname":"Doe","customer_dob":"1990-12-31","billing_address":{"telephone":"4155550132",
			"city":"Reno","region_code":"NV","postcode":"89501","country_id":"US"},"remote_ip":"203.0.113.9","http_user_agent":"UA/1"}`,
		"flat": `{"billing_email":"jane@shop.example","billing_phone":"4155550132","billing_first_name":"Jane","billing_last_name":"Doe","billing_city":"Reno","billing_state":"NV",
			"billing_postcode":"89501","billing_country":"US","x_forwarded_for":"203.0.113.9, 10.0.0.1","User-Agent":"UA/1","birth_date":"12-31-1990"}`,
		"camel": `{"emailAddress":"jane@shop.example","phoneNumber":"4155550132","firstName":"Jane","lastName":"Doe","city":"Reno","state":"NV","zipCode":"89501","countryCode":"US",
			"dateOfBirth":"1990-12-31","clientIp":"203.0.113.9","userAgent":"UA/1"}`,
		"ga4": `{"user_data":{"email_address":"jane@shop.example","phone_number":"+14155550132","address":{"first_name":"Jane","last_name":"Doe","city":"Reno","region":"NV",
			"postal_code":"89501","country":"US"}},"dob":"1990-12-31","ip_override":"203.0.113.9","user_agent":"UA/1"}`,
	} {
		got := open(t, payload, o)
		require.Equal(t, identifying(want), identifying(got), name)
	}
	f := open(t, `{"products":[{"product_id":7,"qty_ordered":2,"unit_price":3}],"currency_code":"CAD","order_revenue":6,"page":{"url":"https://bosley.example/a"}}`, relay.Options{})
	require.Equal(t, []canonical.Item{{ID: "7", Quantity: "2", Price: "3"}}, f.Items())
	_, currency, err := f.Money()
	require.NoError(t, err)
	require.Equal(t, "CAD", currency)
	require.Equal(t, "https://bosley.example/a", f.SourceURL())
	require.Empty(t, f.Dropped())
}

func TestADeniedNameCoversItsSpellings(t *testing.T) {
	t.Parallel()
	const payload = `{"billing":{"email":"jane@shop.example","city":"Reno","note":"x"},"shipping":{"email":"joe@shop.example"}}`
	o := relay.Options{Identifiers: canonical.Hashed}
	f := open(t, payload, o)
	require.NotEmpty(t, f.Email())
	require.NotEmpty(t, f.City())
	require.Equal(t, []string{"billing.note", "shipping"}, f.Dropped())
	for _, deny := range [][]string{{"email"}, {"Email"}, {"billing", "shipping"}, {"billing.email", "shipping.email"}} {
		o.Deny = deny
		require.Empty(t, open(t, payload, o).Email(), deny)
	}
	o.Deny = []string{"billing.email"}
	require.NotEmpty(t, open(t, payload, o).Email(), "the receiver's")
	o.Deny, o.Allow = nil, []string{"billing.city"}
	f = open(t, payload, o)
	require.Empty(t, f.Email())
	require.NotEmpty(t, f.City())
}

func TestFindReturnsAFieldByItsAliases(t *testing.T) {
	t.Parallel()
	p, err := relay.ParsePayload([]byte(`{"email":null,"Billing":{"E-mail":"j@x.example"},"line_items":[1],"ip_address":"203.0.113.9"}`))
	require.NoError(t, err)
	path, raw := canonical.Find(p, "email")
	require.Equal(t, "Billing.E-mail", path)
	require.JSONEq(t, `"j@x.example"`, string(raw))
	path, _ = canonical.Find(p, "items")
	require.Equal(t, "line_items", path)
	path, _ = canonical.Find(p, "client_ip")
	require.Equal(t, "ip_address", path)
	path, _ = canonical.Find(p, "phone")
	require.Empty(t, path)
}

func TestAnOwnEventIDDoesNotCarryAWithheldField(t *testing.T) {
	t.Parallel()
	of := func(id string, policy relay.DataPolicy, o relay.Options) (string, string) {
		e := event(t, `{"order_id":"order_123","event_id":"`+id+`"}`)
		e.Storefront.SendsPayloadEventID, e.Storefront.DataPolicy = true, policy
		f, err := canonical.Open(relay.Destination{Options: o}, e, rules)
		require.NoError(t, err)
		return f.EventID(), e.HashedID()
	}
	for _, c := range []struct {
		id     string
		policy relay.DataPolicy
		o      relay.Options
		own    bool
	}{
		{"pixel-77", "", relay.Options{}, true},
		{"order_123", relay.DataPolicyStandard, relay.Options{}, true},
		{"order_123", "", relay.Options{}, false},
		{"shop:order_123:1", "", relay.Options{}, false},
		{"order_1234", "", relay.Options{}, true},
		{"order_123", "", relay.Options{Allow: []string{"order_id"}}, true},
		{"order_123", "", relay.Options{Allow: []string{"event_id"}}, true},
		{"pixel-77", relay.DataPolicyStandard, relay.Options{Deny: []string{"event_id"}}, false},
		{"order_123:purchase-completed", relay.DataPolicyStandard, relay.Options{}, false},
		{"jane@example.com", relay.DataPolicyStandard, relay.Options{}, false},
	} {
		got, hash := of(c.id, c.policy, c.o)
		if c.own {
			require.Equal(t, c.id, got)
		} else {
			require.Equal(t, hash, got, c.id)
		}
	}
}

func TestTheHealthPolicyRemovesTheOrderIDFromPages(t *testing.T) {
	t.Parallel()
	const origin = "https://clinic.example"
	keep := func(allow ...string) relay.Options {
		return relay.Options{KeepURLQuery: true, Allow: append(allow, "page_location", "page_referrer")}
	}
	for _, c := range []struct {
		page   string
		o      relay.Options
		policy relay.DataPolicy
		want   string
		why    string
	}{
		{"/thanks/ORD-77", keep(), "", origin, "holds the order"},
		{"/thanks/ORD-77?order=ORD-77", keep(), "", origin, "holds the order"},
		{"/thanks%2FORD%2D77", keep(), "", origin, "holds the order"},
		{"/thanks?order=ORD-77", keep(), "", origin + "/thanks", ""},
		{"/thanks?next=%252Forders%252FORD-77", keep(), "", origin + "/thanks", ""},
		{"/thanks/ORD-778?step=2", keep(), "", origin + "/thanks/ORD-778?step=2", ""},
		{"/thanks/ORD-77?a=1", keep("order_id"), "", origin + "/thanks/ORD-77?a=1", ""},
		{"/thanks/ORD-77?a=1", keep(), relay.DataPolicyStandard, origin + "/thanks/ORD-77?a=1", ""},
		{"/thanks/ORD-77", relay.Options{}, "", origin, "origin"},
	} {
		for field, read := range map[string]func(*canonical.Fields) string{"page_location": (*canonical.Fields).SourceURL, "page_referrer": (*canonical.Fields).Referrer} {
			if field == "page_referrer" && c.o.Allow == nil {
				continue // it leaves only by name
			}
			e := event(t, `{"order_id":"ORD-77","`+field+`":"`+origin+c.page+`"}`)
			e.Storefront.DataPolicy = c.policy
			f, err := canonical.Open(relay.Destination{Options: c.o}, e, rules)
			require.NoError(t, err)
			require.Equal(t, c.want, read(f), "%s %s", field, c.page)
			if c.why != "" {
				require.Len(t, f.Withheld(), 1, c.page)
				require.Contains(t, f.Withheld()[0].Why, c.why, c.page)
			}
		}
	}
}

func TestTheHealthPolicyRemovesTheOrderIDFromTexts(t *testing.T) {
	t.Parallel()
	const payload = `{"order_id":"ORD-77","session_id":"sess:ORD-77","utm_source":"ORD-77","utm_medium":"ORD-778"}`
	read := func(o relay.Options, policy relay.DataPolicy) []string {
		e := event(t, payload)
		e.Storefront.DataPolicy = policy
		o.Identifiers = canonical.Hashed
		f, err := canonical.Open(relay.Destination{Options: o}, e, rules)
		require.NoError(t, err)
		return []string{f.Identifier(nil, "session_id"), f.Text("utm_source"), f.Text("utm_medium")}
	}
	require.Equal(t, []string{"", "", "ORD-778"}, read(relay.Options{}, relay.DataPolicyHealth))
	require.Equal(t, []string{"sess:ORD-77", "ORD-77", "ORD-778"}, read(relay.Options{}, relay.DataPolicyStandard))
	require.Equal(t, []string{"sess:ORD-77", "ORD-77", ""}, read(relay.Options{Allow: []string{"order_id", "session_id", "utm_source"}}, relay.DataPolicyHealth))
}
