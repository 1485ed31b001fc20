package customerio

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// event is an event of a person.
type event struct {
	Type        string                     `json:"type"`
	Identifiers identifiers                `json:"identifiers"`
	Action      string                     `json:"action"`
	Name        string                     `json:"name"`
	ID          string                     `json:"id"` // a ULID, by which Customer.io drops a second copy
	Timestamp   int64                      `json:"timestamp"`
	Attributes  map[string]json.RawMessage `json:"attributes"`
}

// identifiers has one of the two. Customer.io identifies people by neither phone numbers nor hashes. Whether an unknown
// person is made by an event is not documented.
type identifiers struct {
	ID    string `json:"id,omitempty"`
	Email string `json:"email,omitempty"`
}

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	who, err := newIdentifiers(f)
	if err != nil {
		return event{}, err
	}
	at, err := canonical.FixedTime(e, time.Unix(0, 0))
	if err != nil {
		return event{}, err
	}
	what, err := newAttributes(f)
	if err != nil {
		return event{}, err
	}
	return event{Type: "person", Identifiers: who, Action: "event", Name: f.Name, ID: ulid(at, e.HashedID()), Timestamp: at.Unix(), Attributes: what}, nil
}

func newIdentifiers(f *canonical.Fields) (identifiers, error) {
	if id := f.OwnExternalID(); id != "" {
		return identifiers{ID: id}, nil
	}
	if email := f.OwnEmail(); email != "" {
		return identifiers{Email: email}, nil
	}
	return identifiers{}, relay.Refuse(relay.ReasonMissingField, "external_id, or email under plain_identifiers")
}

// redirecting are attributes by which an event overrides where its e-mails go to, come from and are answered. An event that
// had one would send a person's mail to someone else, so that no option lets them leave.
var redirecting = []string{"recipient", "from_address", "reply_to", "to", "from", "cc", "bcc", "to_address", "reply_to_address"}

// maxAttribute is the longest value of an attribute, in bytes. It is known from a fixture of rudderlabs' alone.
const maxAttribute = 1000

// newAttributes are the properties without those that redirect mail, and without those that are too long.
func newAttributes(f *canonical.Fields) (map[string]json.RawMessage, error) {
	properties, err := f.Properties()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(properties)
	if err != nil {
		return nil, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case slices.Contains(redirecting, name):
			delete(all, name)
		case len(all[name]) > maxAttribute:
			f.Warn(name + " is longer than Customer.io accepts and is left out")
			delete(all, name)
		}
	}
	return all, nil
}
