package sgtm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/sgtm"
	"relay/internal/relay"
)

// strangers are field names of shops, clinics and CRMs. GA4's schema has none of them.
var strangers = strings.Fields(`
	email email_address e_mail E-Mail mail userEmail user_email contactEmail billing_email shipping_email customer_email hashed_email email2 emailAddress
	phone phone_number mobile cell telephone tel fax billing_phone shipping_phone whatsapp contactNumber
	first_name firstName fname last_name lastName lname surname full_name name patient_name patientName nickname maiden_name salutation title_of_person
	billing_first_name shipping_last_name spouse guardian next_of_kin emergency_contact doctor prescriber physician npi provider caregiver
	address address_1 address1 billing_address_1 billing_address_2 shipping_address street street_name house_number apartment city town state region province
	zip zip_code postal_code postcode country county district latitude longitude lat lng geo geolocation location place home work_address
	dob birthday birth_date date_of_birth birth_year age gender sex pronouns ethnicity race religion marital_status orientation pregnancy
	ssn social_security tax_id passport license driver_license national_id member_id insurance insurer policy_number group_number medicare medicaid
	patient_id mrn chart_number encounter visit_id case_number external_id user_id customer_id account account_number login username handle
	diagnosis condition conditions icd10 symptoms symptom complaint allergies allergy medication medications drug drug_name dosage dose strength ndc rx rx_number
	prescription pharmacy treatment therapy procedure lab_result lab_results test_result hiv_status bmi weight height blood_type blood_pressure vitals smoker
	mental_health depression_score questionnaire answers answer_1 answer_2 intake notes note comment comments message description free_text reason memo body subject
	client_ip ip ip_address customer_ip remote_addr x_forwarded_for user_agent browser device device_id fingerprint idfa gaid mac_address imei
	fbp _fbp fbc _fbc fbclid ttclid ttp _ttp epik _epik ScCid _scid msclkid twclid li_fat_id wbraid gbraid click_id irclickid
	credit_card card_number cvv iban routing_number bank paypal_email stripe_customer card_holder last4
	token password secret api_key auth cookie cookies headers raw html xml query referrer_code search keyword item_name product_name product category brand
	landing_page referrer page_title utm_term utm_content search_term order_note gift_message tags segment cohort persona lead_score crm_id salesforce_id hubspot_id
	custom_1 custom_2 attribute property properties traits context meta metadata data payload extra misc other unknown xyzzy plugh größe 名前 a.b c/d`)

var anyMark = regexp.MustCompile(`mk[0-9]{4}km`)

func mark(i int) string { return fmt.Sprintf("mk%04dkm", i) }

// planted is a payload with a mark of its own under every name, as a text, in an object, in a list, in lines of the order and
// in the queries of pages. Every mark is in it at least once.
func planted(t *testing.T, names []string) (relay.Payload, []string) {
	t.Helper()
	payload, line, query := map[string]any{}, map[string]any{"sku": "s1", "qty": 1}, []string{}
	var marks []string
	next := func() string {
		marks = append(marks, mark(len(marks)))
		return marks[len(marks)-1]
	}
	for i, name := range names {
		payload[name] = next()
		payload["o_"+name] = map[string]any{name: next(), "list": []any{next(), map[string]any{name: next()}}}
		payload["l_"+name] = []any{map[string]any{name: next()}}
		payload["u_"+name] = "https://shop.example/" + next() + "?" + name + "=" + next()
		payload[next()] = i // a name can be the secret, too
		if !slices.Contains([]string{"item_name", "product_name", "ScCid"}, name) {
			line[name] = next()
		}
		query = append(query, fmt.Sprintf("q%d=%s", i, next()))
	}
	maps.Copy(payload, map[string]any{"order_id": "o_1", "order_revenue": 80.79, "items": []any{line},
		"page_location": "https://shop.example/thanks?" + strings.Join(query, "&") + "#" + next()})
	text, err := json.Marshal(payload)
	require.NoError(t, err)
	p, err := relay.ParsePayload(text)
	require.NoError(t, err)
	return p, marks
}

func TestUnknownFieldsAreNotSentToClientGA4ByDefault(t *testing.T) {
	t.Parallel()
	require.Greater(t, len(strangers), 200)
	p, marks := planted(t, strangers)
	require.Greater(t, len(marks), 2000)
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", BaseURL: "https://bosley.example/"}}
	for _, consent := range []string{"", relay.ConsentForward} {
		for _, eventType := range []string{"purchase_completed", "consult_started", "rx_issued"} {
			e.Type = eventType
			d := container(set(sgtm.SettingURL, "https://tags.example.com"))
			d.Options.Consent = consent
			r, err := sgtm.Adapter{}.Request(d, e)
			require.NoError(t, err)
			require.Contains(t, string(r.Body), "80.79")
			left := r.URL + string(r.Body) + r.EventName + strings.Join(r.Warnings, " ") + fmt.Sprint(r.Header)
			require.NotContains(t, left, "mk", "nor a part of one")
			require.Subset(t, r.Dropped, strangers)
		}
	}
}

// A field that options.allow names leaves alone, and personal data does not leave unhashed even then.
func TestAllowAddsOneFieldAndNothingElse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD"}}
	for _, name := range strangers {
		var marks []string
		e.Payload, marks = planted(t, []string{name, "diagnosis"})
		d := container(set(sgtm.SettingURL, "https://tags.example.com"))
		d.Options.Allow = []string{name}
		if strings.Contains(name, ".") {
			require.Error(t, sgtm.Adapter{}.Check(d), "%s would be a part of a field that the relay does not look into", name)
			continue
		}
		r, err := sgtm.Adapter{}.Request(d, e)
		require.NoError(t, err)
		found := 0
		for _, m := range marks {
			found += strings.Count(string(r.Body), m)
		}
		if relay.IsPersonalField(name) {
			require.Zero(t, found, "%s: %s", name, r.Body)
		}
		if name != "item_name" && name != "diagnosis" { // which name a part of the lines, or are planted twice
			require.LessOrEqual(t, found, 1, "%s: %s", name, r.Body)
		}
	}
}

// Client custom passes everything through: each mark leaves, and each field that deny names does not.
func TestClientCustomPassesEveryFieldThrough(t *testing.T) {
	t.Parallel()
	p, marks := planted(t, strangers)
	e := relay.Event{EventID: "o_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, Storefront: relay.Storefront{Code: "bosley"}}
	d := container(set(sgtm.SettingClientType, sgtm.ClientCustom))
	for _, aliases := range []bool{false, true} {
		d.Options.CustomAliases = aliases
		r, err := sgtm.Adapter{}.Request(d, e)
		require.NoError(t, err)
		left := map[string]bool{}
		for _, m := range anyMark.FindAllString(string(r.Body), -1) {
			left[m] = true
		}
		require.Len(t, left, len(marks))
		require.Empty(t, r.Dropped)
	}
	d.Options = relay.Options{Deny: slices.Collect(maps.Keys(p)), CustomAliases: true}
	r, err := sgtm.Adapter{}.Request(d, e)
	require.NoError(t, err)
	require.NotContains(t, string(r.Body), "mk")
	d.Options = relay.Options{Allow: []string{"diagnosis"}, CustomAliases: true}
	r, err = sgtm.Adapter{}.Request(d, e)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(r.Body), "mk"))
}
