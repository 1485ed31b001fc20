package relay

// Storefront is a tenant. Its Code ("bosley") is storefronts.storefront_id, its ID the integer key, which may be OMS's own.
type Storefront struct {
	ID          int64
	Code        string
	Name        string
	Active      bool
	Currency    string // ISO 4217, for payloads that name none
	PhoneRegion string // ISO 3166 alpha-2, for phone numbers without a country code
	BaseURL     string // for payloads that name no page; may be empty
	// SendsPayloadEventID makes a payload's own event_id the id that vendors see (see Event.DedupID).
	SendsPayloadEventID bool
	// DataPolicy limits the data that direct destinations receive; "" counts as DataPolicyHealth. It does not bind the container.
	DataPolicy DataPolicy
	// RequireConsent makes a payload without a consent signal count as a refusal of everything.
	RequireConsent bool
}

// DataPolicy limits the data that direct destinations receive.
type DataPolicy string

// The data policies. Health withholds everything that may name a condition, unless a destination's options allow it by
// name. Standard withholds only what identifies a person.
const (
	DataPolicyHealth   DataPolicy = "health"
	DataPolicyStandard DataPolicy = "standard"
)

// Health reports whether the health policy applies.
func (s Storefront) Health() bool { return s.DataPolicy != DataPolicyStandard }
