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
}
