package adapters_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/canonical"
	"relay/internal/relay"
)

// marked are fields that adapters know, and unknown ones.
var marked = slices.Concat(
	[]string{"email", "first_name", "last_name", "gender", "dob", "external_id", "city", "state", "zip", "country", "user_agent", "page_location",
		"page_referrer", "items", canonical.ItemID, canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory, "ga_client_id", "t-value", "fbc", "fbp",
		"ttp", "epik", "ScCid", "_scid", "client_ip"},
	strings.Fields(`session_id ga_session_id gclid fbclid ttclid locale utm_source utm_medium utm_campaign utm_term utm_content utm_id coupon
		affiliation customer_type lead_source payment_type shipping_tier page_title search_term search_string query content_name content_category content_brand
		description status shop_id sign_up_method order_id storefront_id delivery_category num_items tax shipping`),
	strings.Fields(`patient_name diagnosis mrn insurance_id notes allergies medication prescription doctor ssn medical_record condition icd10 dosage pharmacy
		allergy history symptoms lab_result blood_type height weight race religion orientation income employer school landing_page first_page last_page
		device_id idfa gaid advertising_id cart_token checkout_id gift_message comment survey quiz_answers tags segment cohort campaign_name ad_name
		creative keyword placement audience nickname maiden_name middle_name suffix title company address street address_1 address_2 billing_address_1
		floor apartment county district neighborhood latitude longitude timezone language_name referral_code friend_email parent_name child_name spouse`),
)

// wordFor is a word of letters that marks one field, and is in no other text.
func wordFor(i int) string {
	return "qzj" + string([]byte{byte('a' + i/676%26), byte('a' + i/26%26), byte('a' + i%26)}) + "kw"
}

// planted is a payload with another mark in every field, at every depth, and which mark is in which field.
func planted() (map[string]any, map[string]string) {
	payload, of := map[string]any{}, map[string]string{}
	plant := func(object map[string]any, name, path string) {
		m := wordFor(len(of))
		of[m] = path
		switch field := strings.TrimPrefix(name, "page."); {
		case strings.Contains(name, "email"):
			object[name] = m + "@shop.example"
		case strings.Contains(field, "page_") && name != "page_title", strings.HasSuffix(name, "url"), strings.HasSuffix(name, "referrer"):
			of[m] = path + "?"
			inPath := wordFor(len(of))
			of[inPath] = path
			object[name] = "https://clinic.example/" + inPath + "?q=" + m + "#" + m
		default:
			object[name] = m
		}
	}
	var names []string
	for _, field := range marked {
		names = append(names, canonical.Spellings(field)...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		object, parts := payload, strings.Split(name, ".")
		for _, part := range parts[:len(parts)-1] {
			inner, ok := object[part].(map[string]any)
			if !ok {
				inner = map[string]any{}
				object[part] = inner
			}
			object = inner
		}
		if _, taken := object[parts[len(parts)-1]]; !taken {
			plant(object, parts[len(parts)-1], name)
		}
	}
	deep := map[string]any{}
	for _, field := range marked {
		plant(deep, field, "deep."+field)
	}
	payload["context_of_all"] = map[string]any{"inner": map[string]any{"list": []any{deep, []any{wordFor(len(of))}}}}
	of[wordFor(len(of))] = "deep"
	line := map[string]any{"quantity": 2, "price": 3, "nested": deep}
	for _, field := range marked {
		plant(line, field, "items."+field)
	}
	payload["items"] = []any{line}
	payload["order_revenue"], payload["currency"], payload["client_ip"] = 80.79, "USD", "203.0.113.9"
	payload["phone"], payload["country"], payload["state"] = "+14155550132", "us", "ca"
	return payload, of
}

// leaving are the fields that may leave in the clear to any direct platform.
var leaving = map[string][]string{
	"health": {"utm_source", "utm_medium"},
	"standard": strings.Fields(`utm_source utm_medium utm_campaign utm_id coupon affiliation customer_type lead_source payment_type shipping_tier t-value
		order_id sign_up_method page_location items.item_id`),
	"switched on": strings.Fields(`user_agent session_id ga_client_id _ga gclid fbclid ttclid ttp _ttp epik _epik click_id ScCid sc_click_id _scid sc_cookie1
		locale city zip`),
	"standard, matched as they are": {"external_id"},
	"under an agreement":            {"external_id", "email"},
}

func TestOnlyAllowedMarksAreSent(t *testing.T) {
	t.Parallel()
	payload, of := planted()
	require.Greater(t, len(of), 200)
	text, err := json.Marshal(payload)
	require.NoError(t, err)
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		if _, direct := a.(relay.Namer); !direct {
			t.Skip("the container is the owner's own, and the sandbox is no platform")
		}
		c := cases[slices.IndexFunc(cases, func(c adaptertest.Case) bool { return c.Name == "purchase_full" })]
		p, err := relay.ParsePayload(text)
		require.NoError(t, err)
		c.Event.Payload = p
		sent, ids := 0, c.Destination.Options.Events // of a vendor that has them in place of names
		for policy, data := range map[string]relay.DataPolicy{"health": "", "standard": relay.DataPolicyStandard} {
			for _, o := range everySwitch(a, c.Destination) {
				o.Events = ids
				c.Event.Storefront.DataPolicy, c.Destination.Options = data, o
				r, err := a.Request(c.Destination, c.Event)
				if err != nil { // nothing to match by
					require.Zero(t, r)
					continue
				}
				sent++
				allowed := leaving[policy]
				if o.Identifiers != "" {
					allowed = slices.Concat(allowed, leaving["switched on"])
				}
				if takesPlain(a, c.Destination) && o.Identifiers != "" {
					allowed = slices.Concat(allowed, leaving[policy+", matched as they are"])
				}
				if o.PlainIdentifiers != "" {
					allowed = slices.Concat(allowed, leaving["under an agreement"])
				}
				requireMarks(t, r, of, allowed, policy)
			}
		}
		require.GreaterOrEqual(t, sent, 2)
	})
}

// everySwitch are the options without any switch, with every one, and where a platform matches identifiers that are not hashed, with
// the agreement for them.
func everySwitch(a relay.Adapter, d relay.Destination) []relay.Options {
	on := relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true, ExternalIDFromSession: true}
	list := []relay.Options{{}, on}
	if takesPlain(a, d) {
		on.PlainIdentifiers = relay.BAASigned
		list = append(list, on)
	}
	return list
}

func takesPlain(a relay.Adapter, d relay.Destination) bool {
	d.Options = relay.Options{PlainIdentifiers: relay.BAASigned}
	return a.Check(d) == nil
}

func requireMarks(t *testing.T, r relay.Request, of map[string]string, allowed []string, policy string) {
	t.Helper()
	out := strings.ToLower(r.URL + string(r.Body))
	for m, field := range of {
		if strings.Contains(out, m) {
			require.Contains(t, allowed, field, "under %s", policy)
		}
	}
	require.NotContains(t, strings.ToLower(fmt.Sprint(r.EventName, r.Version, r.Warnings, r.Dropped, r.Withheld)), "qzj", "no value is in the description of the request")
}
