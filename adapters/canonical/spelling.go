package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"relay/internal/relay"
)

// spellings are the names under which shop systems write a field, the relay's own first; "billing.email" is email inside of
// billing. Names count without case and punctuation, so that firstName and First-Name need no line of their own. The buyer
// comes before the receiver: goods may be sent to another person. A product comes before an id, which may be that of the line.
var spellings = map[string][]string{
	"email": person([]string{"email", "email_address", "user_email", "contact_email", "mail", "hashed_email", "email_sha256", "sha256_email"},
		"email", "email_address", "sha256_email_address"),
	"phone": person([]string{"phone", "phone_number", "mobile", "mobile_phone", "telephone", "tel", "user_phone", "contact_phone", "hashed_phone", "phone_sha256"},
		"phone", "phone_number", "telephone", "mobile", "sha256_phone_number"),
	"first_name":  person([]string{"first_name", "given_name"}, "first_name", "given_name"),
	"last_name":   person([]string{"last_name", "surname", "family_name"}, "last_name", "surname", "family_name"),
	"gender":      person([]string{"gender", "sex"}, "gender", "sex"),
	"dob":         person([]string{"dob", "birthday", "date_of_birth", "birth_date"}, "dob", "birthday", "date_of_birth", "birth_date"),
	"external_id": {"external_id", "user_id", "customer_id", "customer.external_id", "customer.id", "user.external_id", "user.id"},
	"city":        person([]string{"city", "town"}, "city", "town"),
	"state":       person([]string{"state", "state_code", "province", "province_code"}, "state", "state_code", "province_code", "province", "region_code", "region"),
	"zip":         person([]string{"zip", "zip_code", "postal_code", "postcode"}, "zip", "zip_code", "postal_code", "postcode"),
	"country":     person([]string{"country", "country_code"}, "country_code", "country", "country_id", "country_iso2"),

	"client_ip": {"client_ip", "client_ip_address", "ip_address", "ip", "customer_ip", "customer_ip_address", "user_ip", "remote_ip", "remote_addr",
		"browser_ip", "x_forwarded_for", "forwarded_for", "x_real_ip", "cf_connecting_ip", "true_client_ip", "ip_override", "client_details.browser_ip", "client.ip", "context.ip", "customer.ip", "user.ip"},
	"user_agent": {"user_agent", "client_user_agent", "customer_user_agent", "http_user_agent", "browser_user_agent", "client_details.user_agent",
		"client.user_agent", "context.user_agent", "customer.user_agent", "user.user_agent", "browser.user_agent"},

	"page_location": {"page_location", "page_url", "event_source_url", "url", "source_url", "current_url", "document_location", "href", "page.url",
		"page.location", "context.page.url"},
	"page_referrer": {"page_referrer", "referrer_url", "referrer", "referer", "document_referrer", "page.referrer", "context.page.referrer"},
	"currency":      {"currency", "currency_code", "order_currency", "order_currency_code", "ecommerce.currency"},
	"order_revenue": {"order_revenue", "value"},

	"items":      {"items", "contents", "line_items", "products", "order_items", "cart_items", "order.items", "order.line_items", "ecommerce.items", "cart.items"},
	ItemID:       {ItemID, "product_id", "content_id", "id", "sku", "item_sku", "product_sku", "product_code", "variant_id"},
	"quantity":   {"quantity", "qty", "qty_ordered", "item_quantity"},
	"price":      {"item_price", "price", "unit_price"},
	ItemName:     {ItemName, "name", "title", "product_name", "product_title"},
	ItemBrand:    {ItemBrand, "brand", "manufacturer", "vendor"},
	ItemCategory: {ItemCategory, "category", "product_category", "product_type"},

	"ga_client_id": {"ga_client_id", "_ga"},
	"t-value":      {"t-value"},
	"fbc":          {"fbc", "_fbc"},
	"fbp":          {"fbp", "_fbp"},
	"ttp":          {"ttp", "_ttp"},
	"epik":         {"epik", "_epik", "click_id"},
	"ScCid":        {"ScCid", "sc_click_id"},
	"_scid":        {"_scid", "sc_cookie1"},
}

// person adds to the names of a person's field those with a buyer's prefix ("billing_email"), and those inside of an object
// ("billing.email").
func person(plain []string, inner ...string) []string {
	names := slices.Clone(plain)
	for _, prefix := range []string{"customer_", "billing_", "billing_address_"} {
		for _, name := range inner {
			names = append(names, prefix+name)
		}
	}
	for _, object := range []string{"customer.", "user.", "user_data.", "user_data.address.", "billing.", "billing_address.", "contact.", "address.",
		"customer.default_address."} {
		for _, name := range inner {
			names = append(names, object+name)
		}
	}
	for _, prefix := range []string{"shipping_", "shipping.", "shipping_address."} {
		for _, name := range inner {
			names = append(names, prefix+name)
		}
	}
	return names
}

// Spellings are the names under which a field may arrive, the relay's own first; a field without further ones has its own.
func Spellings(field string) []string {
	if names, ok := spellings[field]; ok {
		return slices.Clone(names)
	}
	return []string{field}
}

// ownRules are the fields that have rules of their own at every destination: the person, the page, money and lines.
var ownRules = []string{"email", "phone", "first_name", "last_name", "gender", "dob", "external_id", "city", "state", "zip", "country", "client_ip",
	"user_agent", "page_location", "page_referrer", "currency", "order_revenue", "items", "ga_client_id", "t-value"}

// Reads reports whether a name, in any spelling, belongs to a field that is sent under its own rule.
func Reads(name string) bool {
	key := letters(name)
	return slices.ContainsFunc(ownRules, func(field string) bool {
		return slices.ContainsFunc(spellings[field], func(known string) bool { return letters(known) == key })
	})
}

// Find is a field of a payload under any of its spellings: where it is ("billing.email") and its value; "" where there is
// none that says something.
func Find(p relay.Payload, field string) (string, json.RawMessage) {
	return newSource(p).first(Spellings(field))
}

func isEmpty(raw json.RawMessage) bool {
	s := string(bytes.TrimSpace(raw))
	return s == "" || s == "null" || s == `""` || s == "{}" || s == "[]"
}

// source finds the fields of an object by names that count without case and punctuation.
type source struct {
	fields   relay.Payload
	folded   map[string]string  // folded name to the first name of that kind
	children map[string]*source // the parsed ones; nil for a value that is not an object
}

func newSource(fields relay.Payload) *source {
	s := &source{fields: fields, folded: make(map[string]string, len(fields)), children: map[string]*source{}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if key := letters(name); s.folded[key] == "" {
			s.folded[key] = name
		}
	}
	return s
}

// find is where a field is, in the payload's own words, and its value; "" where there is none.
func (s *source) find(path string) (string, json.RawMessage) {
	if name := s.name(path); name != "" {
		return name, s.fields[name]
	}
	top, rest, nested := strings.Cut(path, ".")
	if !nested {
		return "", nil
	}
	top = s.name(top)
	child := s.child(top)
	if child == nil {
		return "", nil
	}
	name, raw := child.find(rest)
	if name == "" {
		return "", nil
	}
	return top + "." + name, raw
}

// first is the first of some fields that says something.
func (s *source) first(names []string) (string, json.RawMessage) {
	for _, name := range names {
		if path, raw := s.find(name); path != "" && !isEmpty(raw) {
			return path, raw
		}
	}
	return "", nil
}

func (s *source) name(name string) string {
	if _, ok := s.fields[name]; ok {
		return name
	}
	if strings.Contains(name, ".") {
		return ""
	}
	return s.folded[letters(name)]
}

func (s *source) child(name string) *source {
	if child, known := s.children[name]; known {
		return child
	}
	var child *source
	fields := relay.Payload{}
	if raw := bytes.TrimSpace(s.fields[name]); len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &fields) == nil {
		child = newSource(fields)
	}
	s.children[name] = child
	return child
}

// pathKey is a path without case and punctuation: "Billing.E-Mail" is "billing.email".
func pathKey(path string) string {
	parts := strings.Split(path, ".")
	for i := range parts {
		parts[i] = letters(parts[i])
	}
	return strings.Join(parts, ".")
}
