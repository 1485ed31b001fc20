package relay

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Redacted replaces a value that the record of an attempt does not show.
const Redacted = "[redacted]"

// harmless is the whole list of names, folded, whose values the record shows, each with the form that
// a value must have. Any other value is [redacted], whatever its type and depth.
//
// Before you add a name: every reader of an event sees these values, also of a payload that went through the container's custom
// client, where OMS may write anything under any name. So the form must be too narrow for a person.
var harmless = forms(map[string]form{
	"value revenue order_revenue net_revenue predicted_ltv total order_total subtotal tax shipping discount price item_price unit_price amount conversion_value": money,
	"quantity qty num_items item_count engagement_time_msec data_processing_options_country data_processing_options_state":                                       count,
	"currency currency_code": currency,

	"event event_name event_type": eventName,
	"event_time timestamp timestamp_micros order_created_date order_ship_date created_at updated_at event_at event_timestamp conversion_happened_at": moment,

	"order_id transaction_id event_id conversion_id message_id": ownID,
	"storefront_id storefront_code":                             code,
	"event_source_id":                                           pixel,
	"test_event_code":                                           testCode,

	"utm_source utm_medium": token,

	"page_url page_location event_source_url source_url url href landing_page": origin,

	"status order_status payment_status fulfillment_status": oneOf("new", "open", "pending", "processing", "approved", "authorized",
		"paid", "captured", "completed", "complete", "confirmed", "shipped", "delivered", "fulfilled", "partial", "closed", "on_hold",
		"failed", "declined", "voided", "cancelled", "canceled", "refunded", "returned", "skipped", "registered", "submitted", "active", "expired"),
	"consent ad_storage ad_user_data ad_personalization analytics_storage marketing_consent opt_out opt_in do_not_sell " +
		"non_personalized_ads limited_data_use gpc": oneOf("granted", "denied", "consent_granted", "consent_denied", "unspecified", "true", "false", "yes", "no", "0", "1"),
	"us_privacy": matching(`^1[YNyn-]{3}$`),
	"conversion": matching(`^urn:lla:llaPartnerConversion:[0-9]{1,19}$`),

	"data_processing_options": oneOf("ldu"),
	"opt_out_type":            oneOf("ldp"),
	"action_source event_source": oneOf("web", "website", "app", "mobile_app", "app_android", "app_ios", "offline", "crm", "email", "chat",
		"phone_call", "physical_store", "system_generated", "business_messaging", "other"),
	"content_type":      oneOf("product", "product_group"),
	"delivery_category": oneOf("home_delivery", "in_store", "curbside"),
})

// holders are the names, folded, of the objects and lists that adapters build and that payloads bring. Their members are
// looked at name by name. Any other object or list is [redacted] whole.
var holders = set("data", "events", "params", "customdata", "properties", "eventproperties", "attributes", "page", "items", "contents", "products", "lineitems",
	"consent", "consentstate", "payload", "metadata", "conversionvalue")

// harmlessHeaders are shown with their values.
var harmlessHeaders = map[string]form{
	"content-type": matching(`^application/json(; ?charset=utf-8)?$`),
	"x-ga-gcs":     matching(`^G1[01-]{2}$`),
	"webhook-id":   ownID,
}

// fieldName is the form of the names that are shown. Any other name may itself be personal data.
var fieldName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$-]{0,63}$`)

var digitRun = regexp.MustCompile(`[0-9]{6}`)

// measurementNames are the members of a body of the Measurement Protocol.
var measurementNames = set("client_id", "user_id", "events", "timestamp_micros", "consent", "user_data", "user_properties",
	"ip_override", "user_agent", "user_location", "device", "validation_behavior", "non_personalized_ads")

func forms(byNames map[string]form) map[string]form {
	m := map[string]form{}
	for names, f := range byNames {
		for name := range strings.FieldsSeq(names) {
			m[FoldName(name)] = f
		}
	}
	return m
}

// RedactBody is a JSON body as the record keeps it: a value is shown where its name is known to be harmless and the value
// has the form that belongs to the name; everything else is replaced. Pages keep their origin. A body that is no JSON is
// hidden whole. Numbers stay as written. To redact again changes nothing.
func RedactBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return Redacted
	}
	if _, err := dec.Token(); err != io.EOF {
		return Redacted
	}
	r := redactor{measurement: isMeasurement(v)}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(r.held("", v)) != nil {
		return Redacted
	}
	return strings.TrimSpace(out.String())
}

// isMeasurement reports whether a body is one of the Measurement Protocol, where an event's name is called "name".
func isMeasurement(v any) bool {
	body, ok := v.(map[string]any)
	_, events := body["events"].([]any)
	return ok && events && !slices.ContainsFunc(slices.Collect(maps.Keys(body)), func(k string) bool { return !measurementNames[k] })
}

type redactor struct{ measurement bool }

// held redacts the content of a holder; "" is the body itself. Members of a list have no name of their own.
func (r redactor) held(holder string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return r.object(holder, v)
	case []any:
		for i := range v {
			v[i] = r.held(holder, v[i])
		}
		return v
	}
	return Redacted
}

func (r redactor) object(holder string, v map[string]any) map[string]any {
	_, params := v["params"].(map[string]any)
	out := make(map[string]any, len(v))
	for name, inner := range v {
		if RedactName(name) == Redacted {
			out[Redacted] = Redacted
			continue
		}
		folded := FoldName(name)
		f := harmless[folded]
		if name == "name" && params && r.measurement && holder == "events" {
			f = eventName
		}
		switch inner.(type) {
		case map[string]any, []any:
			if holders[folded] {
				out[name] = r.held(folded, inner)
				continue
			}
		}
		out[name] = f.apply(inner)
	}
	return out
}

// RedactName is the name of a payload field as the record shows it.
func RedactName(name string) string {
	if !fieldName.MatchString(name) || digitRun.MatchString(name) {
		return Redacted
	}
	return name
}

// RedactNames are names of payload fields as the record shows them.
func RedactNames(names []string) []string {
	var shown []string
	for _, n := range names {
		if n = RedactName(n); !slices.Contains(shown, n) {
			shown = append(shown, n)
		}
	}
	return shown
}

// RedactHeader is the value of a request's header as a reader sees it.
func RedactHeader(name, value string) string {
	f, ok := harmlessHeaders[strings.ToLower(name)]
	if !ok {
		return Redacted
	}
	return f(value)
}
