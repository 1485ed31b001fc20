package canonical

import (
	"strings"

	"relay/internal/relay"
)

// Why a field does not leave as it is.
const (
	whyHealth      = "data policy health: sent only if allow names it"
	whyListed      = "may reveal a treatment: sent only if allow names it"
	whyPage        = "data policy health: pages are sent as their origin, unless allow names the field"
	whyOrder       = "data policy health: the order is sent as a hash, unless allow names order_id"
	whyOwnID       = "is not a plain identifier, or holds data that the platform must not read: the event's id is sent as a hash"
	whyOrderInID   = "data policy health: holds the order, so that the event's id is sent as a hash, unless allow names order_id"
	whyOrderInText = "data policy health: holds the order, unless allow names order_id"
	whyPlain       = "identifies a person: sent as it is only under plain_identifiers"
	whyMail        = "contains an e-mail address"
	whyPhone       = "contains a telephone or social security number"
	whyName        = "contains the event's own name, which is hidden from this platform"
)

// harmless are the only free texts that leave under the data policy health without being allowed by name.
var harmless = []string{"utm_source", "utm_medium"}

// why is the reason for which a field that must be allowed by name stays here.
func (f *Fields) why() string {
	if f.health {
		return whyHealth
	}
	return whyListed
}

// OrderID is the order: a hash under the data policy health. It is "" if the admin denies it, if it repeats data that
// the vendor must not read, and if it is a placeholder.
func (f *Fields) OrderID() string {
	const field = "order_id"
	id := f.event.OrderID()
	if f.denies(field) || id == "" || placeholder(id) {
		return ""
	}
	if f.health && !f.names(field) {
		f.withhold(field, whyOrder)
		id = relay.ShortHash(f.event.Storefront.Code + ":" + field + ":" + id)
	} else if why := f.reveals(id); why != "" {
		f.withhold(field, why)
		return ""
	}
	if f.event.OrderID() == f.event.Payload.Text(field) {
		f.markSent(field)
	}
	return id
}

// placeholder reports whether an order's id is a placeholder. Repeated digits are not: a young shop has such an order.
func placeholder(id string) bool {
	return relay.Placeholder(id) && !strings.ContainsAny(id, "123456789")
}

// MadeID is an id of an anonymous user made from the order, so that the events of one order are one user's; from the event where the
// order's id is a placeholder.
func MadeID(e relay.Event) string {
	of := e.OrderID()
	if of == "" || placeholder(of) {
		of = e.EventID
	}
	return relay.ShortHash(e.Storefront.Code + ":" + of)
}

// Storefront is the storefront's code, unless the admin denies it or the data policy keeps it.
func (f *Fields) Storefront() string {
	const field = "storefront_id"
	switch {
	case f.denies(field):
		return ""
	case f.health && !f.names(field):
		f.withhold(field, whyHealth)
		return ""
	}
	if why := f.reveals(f.event.Storefront.Code); why != "" {
		f.withhold(field, why)
		return ""
	}
	if f.event.Storefront.Code == f.event.Payload.Text(field) {
		f.markSent(field)
	}
	return f.event.Storefront.Code
}

// EventID is the event's id for this vendor (see relay.Event.VendorID). Under the data policy health an own id that holds
// the order is hashed too, and so is one that the admin denies.
func (f *Fields) EventID() string {
	const field = "event_id"
	f.markSent(field)
	hash := f.event.HashedID()
	id := f.event.DedupID()
	if f.hidden != "" {
		id = f.event.VendorID(f.Name)
	}
	switch {
	case f.denies(field):
		return hash
	case id == hash && f.event.Storefront.SendsPayloadEventID && f.event.Payload.Text(field) != "":
		f.withhold(field, whyOwnID)
	case id != hash && f.health && !f.names("order_id") && !f.names(field) && relay.HoldsWord(id, f.event.OrderID()):
		f.withhold(field, whyOrderInID)
		return hash
	}
	return id
}

// hasOrder reports whether a text holds the order, which under the data policy health leaves as a hash.
func (f *Fields) hasOrder(text string) bool {
	id := f.event.OrderID()
	return f.health && len(id) >= minOrder && !f.names("order_id") && relay.HoldsWord(text, id)
}

// minOrder is the shortest id of an order that a text does not hold by chance.
const minOrder = 4
