package amplitude

import (
	"cmp"
	"encoding/json"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type body struct {
	APIKey  string  `json:"api_key"`
	Events  []event `json:"events"`
	Options options `json:"options,omitzero"`
}

type options struct {
	MinIDLength int `json:"min_id_length,omitempty"`
}

// event has no user_properties: they would change the profile. Amplitude's own field for the currency is not confirmed, so that the
// currency is a property.
type event struct {
	UserID     string               `json:"user_id"`
	EventType  string               `json:"event_type"`
	Time       int64                `json:"time"` // in milliseconds
	InsertID   string               `json:"insert_id"`
	Revenue    json.Number          `json:"revenue,omitempty"`
	IP         string               `json:"ip,omitempty"`
	Properties canonical.Properties `json:"event_properties"`
}

// shortest is the length from which Amplitude takes an id without an option; it drops events with a shorter one.
const shortest = 5

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	id := cmp.Or(f.OwnExternalID(), f.ExternalID())
	if id == "" {
		return event{}, relay.Refuse(relay.ReasonMissingField, "external_id")
	}
	at, err := canonical.FixedTime(e, time.Unix(0, 0))
	if err != nil {
		return event{}, err
	}
	p, err := f.Properties()
	if err != nil {
		return event{}, err
	}
	ev := event{UserID: id, EventType: f.Name, Time: at.UnixMilli(), InsertID: p.EventID, IP: f.IP(), Properties: p}
	if f.Name == sale || earning[e.Type] {
		ev.Revenue = p.Value
	}
	return ev, nil
}

// sale is the name of an event that earns, and earning the types that earn under other names. The value of any other event is a
// property alone: a consultation and its purchase would count twice, and a refund would count as a sale.
const sale = "purchase"

var earning = map[string]bool{"purchase_completed": true, "subscription_started": true, "subscription_renewed": true, "renewal": true}
