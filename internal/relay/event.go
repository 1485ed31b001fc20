package relay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// Status is the state of an event. OMS reads it in marketing_events.status.
type Status string

// The five statuses of an event. Delivered, failed and skipped are final.
const (
	StatusPending    Status = "pending"
	StatusProcessing Status = "processing"
	StatusDelivered  Status = "delivered"
	StatusFailed     Status = "failed"
	StatusSkipped    Status = "skipped"
)

// Final reports whether an event of this status changes only by an explicit retry.
func (s Status) Final() bool {
	return s == StatusDelivered || s == StatusFailed || s == StatusSkipped
}

// Sources of events, as marketing_events.source_system holds them.
const (
	SourceAPI    = "oms"
	SourceDirect = "oms_direct"
)

// Limits of the columns of marketing_events, in characters except for the payload, which is bytes (TEXT).
const (
	MaxEventID        = 100
	MaxEventType      = 50
	MaxStorefrontCode = 50
	MaxPayload        = 65535
)

// Event is one marketing event as a delivery sees it: a row of the inbox with its storefront, and the moment at which
// it is looked at. Adapters read nothing else, least of all a clock.
type Event struct {
	ID         int64 // primary key of the row
	EventID    string
	Order      string // of a direct row: its order_id column, mostly empty
	Type       string // lower case: "purchase_completed"
	Source     string
	Storefront Storefront
	Payload    Payload
	CreatedAt  time.Time
	Now        time.Time
}

// OrderID is the order that the event belongs to. A direct row's comes from its columns, whatever its payload says: order_id,
// which a refund has beside its own event_id, else event_id.
func (e Event) OrderID() string {
	if e.Source == SourceAPI {
		if id := e.Payload.Text("order_id"); id != "" {
			return id
		}
	}
	return cmp.Or(strings.TrimSpace(e.Order), e.EventID)
}

// DedupID is the id under which the vendors know the event: the same on every attempt, fallback and replay. It is the
// first 32 hex digits of SHA-256 over "storefront code:event_id:event_type", because the plain form would reveal to an ad
// platform the event type that a neutral name hides. The payload's own event_id leaves only if the storefront says so, for
// shops whose browser pixel sends that id, and only where it is a plain identifier.
func (e Event) DedupID() string {
	if id := e.ownID(); id != "" {
		return id
	}
	return e.HashedID()
}

// VendorID is DedupID for a vendor that knows the event as name. Where that is another name than ours, an own event_id that
// holds ours is hashed.
func (e Event) VendorID(name string) string {
	if id := e.ownID(); id != "" && (strings.EqualFold(name, e.Type) || !Reveals(id, e.Type)) {
		return id
	}
	return e.HashedID()
}

// HashedID is the event's id where the payload's own does not leave.
func (e Event) HashedID() string {
	return ShortHash(e.Storefront.Code + ":" + e.EventID + ":" + e.Type)
}

// ShortHash is the first 32 hex digits of a text's SHA-256.
func ShortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:32]
}

// FoldType is an event's type as the relay knows it: without outer white space, in lower case.
func FoldType(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// plainID matches plain identifiers: no address, no path, no sentence.
var plainID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

// ownID is the payload's own event_id where it may leave; "" where it is none or would be shared by strangers' events.
func (e Event) ownID() string {
	id := e.Payload.Text("event_id")
	if !e.Storefront.SendsPayloadEventID || !plainID.MatchString(id) || Placeholder(id) && !Sequential(id) || Reveals(id, "") {
		return ""
	}
	return id
}

// NewEvent is an accepted item on its way into the inbox.
type NewEvent struct {
	EventID        string
	OrderID        string
	Type           string
	StorefrontID   int64
	StorefrontCode string
	Payload        []byte // as received
	Digest         [sha256.Size]byte
	Leased         bool // this process starts its delivery at once
}

// Verdict is the inbox's decision on a NewEvent.
type Verdict int

// The verdicts. A conflict is an event whose id is taken by one with another storefront or payload. A busy one is being
// inserted by a transaction that is still open: it was not stored, and can be sent again.
const (
	Inserted Verdict = iota
	Duplicate
	Conflict
	Busy
)

// InsertResult is the result of inserting one NewEvent. ID and Status describe the row that holds the event now;
// a busy one has none.
type InsertResult struct {
	ID      int64
	Verdict Verdict
	Status  Status
	Foreign bool // of a conflict: the row belongs to another storefront
}

// PendingDelivery is a delivery to be started. Its fields may be visible in Temporal.
type PendingDelivery struct {
	ID             int64
	EventID        string
	Type           string
	StorefrontCode string
	Source         string
}
