package klaviyo

import (
	"encoding/json"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// object is JSON:API's envelope.
type object[A any] struct {
	Data struct {
		Type       string `json:"type"`
		Attributes A      `json:"attributes"`
	} `json:"data"`
}

func newObject[A any](kind string, attributes A) object[A] {
	var o object[A]
	o.Data.Type, o.Data.Attributes = kind, attributes
	return o
}

type event struct {
	Properties    canonical.Properties `json:"properties"`
	Time          string               `json:"time"` // Klaviyo cuts it to seconds
	Value         json.Number          `json:"value,omitempty"`
	ValueCurrency string               `json:"value_currency,omitempty"`
	UniqueID      string               `json:"unique_id"` // of a profile's events in a metric, the first with an id counts
	Backfill      bool                 `json:"backfill,omitempty"`
	Metric        object[metric]       `json:"metric"`
	Profile       object[profile]      `json:"profile"`
}

type metric struct {
	Name string `json:"name"`
}

// profile has one identifier. With two, Klaviyo would write the one into the profile of the other: an order that someone else pays
// for would redirect a person's e-mail.
type profile struct {
	ExternalID string `json:"external_id,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone_number,omitempty"`
}

// earliest is the first time that Klaviyo accepts.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

func newBody(f *canonical.Fields, e relay.Event) (object[event], error) {
	p, err := newProfile(f)
	if err != nil {
		return object[event]{}, err
	}
	at, err := canonical.FixedTime(e, earliest)
	if err != nil {
		return object[event]{}, err
	}
	properties, err := f.Properties()
	if err != nil {
		return object[event]{}, err
	}
	return newObject("event", event{
		Properties: properties, Time: at.Format(time.RFC3339), Value: properties.Value, ValueCurrency: properties.Currency,
		UniqueID: properties.EventID, Backfill: e.Age() > flowAge,
		Metric: newObject("metric", metric{f.Name}), Profile: newObject("profile", p),
	}), nil
}

// newProfile has the first identifier that may leave. Klaviyo hashes nothing and matches no hash.
func newProfile(f *canonical.Fields) (profile, error) {
	if id := f.OwnExternalID(); id != "" {
		return profile{ExternalID: id}, nil
	}
	if email := f.OwnEmail(); email != "" {
		return profile{Email: email}, nil
	}
	if phone := f.OwnPhone(); phone != "" {
		return profile{Phone: phone}, nil
	}
	return profile{}, relay.Refuse(relay.ReasonMissingField, "external_id, or email or phone under plain_identifiers")
}
