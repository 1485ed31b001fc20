package relay

import "slices"

// SGTM is the key of a storefront's server-side Google Tag Manager container, among the platform codes.
const SGTM = "sgtm"

// Destination is a place where an event may go, with everything that its adapter needs to know to send it there.
type Destination struct {
	Key      string            // SGTM, or the platform's code; also the adapter's name
	Settings map[string]string // not secret: ids, URLs
	Secrets  map[string]Secret
	Options  Options
}

// Options are an admin's settings for one storefront at one destination. The zero value is the most restrictive one: default event
// names, no identifiers, no IP, no user agent, page URLs without query and fragment.
type Options struct {
	// Events maps our event types to the vendor's, over the adapter's own defaults.
	Events map[string]EventRule `json:"events,omitempty"`
	// Identifiers is "none" (the zero value too) or "hashed".
	Identifiers string `json:"identifiers,omitempty"`
	// PlainIdentifiers is BAASigned where the vendor has signed an agreement on health data (a business associate agreement): then
	// identifiers leave as they are, to platforms that cannot match hashes. Other platforms refuse the option.
	PlainIdentifiers string `json:"plain_identifiers,omitempty"`
	SendIP           bool   `json:"send_ip,omitempty"`
	SendUserAgent    bool   `json:"send_user_agent,omitempty"`
	// KeepURLQuery sends page URLs whole.
	KeepURLQuery bool `json:"keep_url_query,omitempty"`
	// Allow and Deny are payload fields: if Allow is not empty only its fields leave, and Deny's never do. The
	// relay's own fields of an event (its name, its id, its time) always leave; order and storefront unless denied. Parts
	// of items are named "items.sku". A field that the data policy health withholds leaves only if Allow names it.
	Allow []string `json:"allow,omitempty"`
	Deny  []string `json:"deny,omitempty"`
	// LimitedDataUse and OptOut are the vendor's privacy flags of these names.
	LimitedDataUse bool `json:"limited_data_use,omitempty"`
	OptOut         bool `json:"opt_out,omitempty"`
	// LimitedCountry and LimitedState go with LimitedDataUse where the vendor wants them (Meta, Snapchat: country 1 is the
	// US, state 1000 California); 0 and 0 let the vendor find out where the person is.
	LimitedCountry int `json:"limited_country,omitempty"`
	LimitedState   int `json:"limited_state,omitempty"`
	// ExternalIDFromSession takes the session's id for the person's where the payload has none of the person.
	ExternalIDFromSession bool `json:"external_id_from_session,omitempty"`
	// APIVersion overrides the adapter's own, where the vendor's path has one.
	APIVersion string `json:"api_version,omitempty"`
	// Test sends to the vendor's validating endpoint, where nothing is recorded (GA4, Snapchat, Pinterest, Google Ads).
	Test bool `json:"test,omitempty"`
	// EU sends to the vendor's address in the European Union, where it has one (GA4).
	EU bool `json:"eu,omitempty"`
	// MaxAgeHours overrides how old an event may be at this destination.
	MaxAgeHours int `json:"max_age_hours,omitempty"`
	// Limits apply to all workers together. A limit of 0 falls back to the platform's.
	Limits Limits `json:"limits,omitzero"`
	// CustomAliases adds the GA4-style names that sGTM tags read to the body of sGTM's custom client.
	CustomAliases bool `json:"custom_aliases,omitempty"`
	// Consent sets how a container handles denied consent: ConsentEnforce or ConsentForward. Empty is ConsentEnforce for client
	// type ga4 and ConsentForward for client type custom. Direct platforms always enforce.
	Consent string `json:"consent,omitempty"`
}

// BAASigned is the value of Options.PlainIdentifiers.
const BAASigned = "baa_signed"

// Values of Options.Consent.
const (
	ConsentEnforce = "enforce" // the relay skips or limits the event, as direct GA4 does
	ConsentForward = "forward" // the event is sent with the decision in it, for tags to obey
)

// EventRule is an admin's rule for one event type: the vendor's name for it, or that it is skipped.
type EventRule struct {
	Name string `json:"name,omitempty"`
	Skip bool   `json:"skip,omitempty"`
}

// Allows reports whether the admin lets this payload field leave.
func (o Options) Allows(field string) bool {
	return !o.Denies(field) && (len(o.Allow) == 0 || slices.Contains(o.Allow, field))
}

// Denies reports whether the admin forbids this payload field by name.
func (o Options) Denies(field string) bool { return slices.Contains(o.Deny, field) }
