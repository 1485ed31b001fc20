package canonical

import (
	"slices"
	"strings"

	"relay/internal/relay"
)

// EventNames are a platform's names for our event types, and the names that the platform knows itself.
type EventNames struct {
	Default  map[string]string // sent unless an admin says otherwise
	Proposed map[string]string // suggested to an admin, never sent on their own
	Standard []string          // the platform's standard events; nil where it has no such list
	NeedID   []string          // of a platform with ids instead of names: the types that leave once an admin has set their id
}

// Relay returns the names as the rest of the relay knows them.
func (n EventNames) Relay() relay.EventNames {
	return relay.EventNames{Default: n.Default, Proposed: n.Proposed, NeedID: n.NeedID}
}

// IsStandard reports whether the platform has a standard event of exactly this name.
func (n EventNames) IsStandard(name string) bool { return slices.Contains(n.Standard, name) }

// Spelling returns the standard name that differs from this one in case only; "" if there is none.
func (n EventNames) Spelling(name string) string {
	if n.IsStandard(name) {
		return ""
	}
	if i := slices.IndexFunc(n.Standard, func(s string) bool { return strings.EqualFold(s, name) }); i >= 0 {
		return n.Standard[i]
	}
	return ""
}

// WarnOfSpelling warns of an event that is custom only because of the case of its name.
func (n EventNames) WarnOfSpelling(f *Fields) {
	if s := n.Spelling(f.Name); s != "" {
		f.Warn("the event's name is a custom one; the standard event is spelled " + s)
	}
}

// Prepare checks the destination and opens the event. The error is a *relay.Refusal.
func Prepare(d relay.Destination, e relay.Event, check func(relay.Destination) error, r Rules) (*Fields, error) {
	if err := Ready(d, check); err != nil {
		return nil, err
	}
	return Open(d, e, r)
}

// Version returns the version that the record of an attempt names: the adapter's, and the API's, which is the last part of
// base.
func Version(adapter, base string) string {
	return adapter + " " + base[strings.LastIndex(base, "/")+1:]
}

// Person holds the data of a person under Meta's parameter names, which Snapchat and Pinterest have adopted. The fields down
// to external_id are hashed.
type Person struct {
	Email           []string `json:"em,omitempty"`
	Phone           []string `json:"ph,omitempty"` // digits, without "+"
	FirstName       []string `json:"fn,omitempty"`
	LastName        []string `json:"ln,omitempty"`
	Gender          []string `json:"ge,omitempty"`
	Birthday        []string `json:"db,omitempty"` // YYYYMMDD
	City            []string `json:"ct,omitempty"`
	State           []string `json:"st,omitempty"`
	Zip             []string `json:"zp,omitempty"`
	Country         []string `json:"country,omitempty"`
	ExternalID      []string `json:"external_id,omitempty"`
	ClientIPAddress string   `json:"client_ip_address,omitempty"`
	ClientUserAgent string   `json:"client_user_agent,omitempty"`
}

// Person reads the person's fields that may leave.
func (f *Fields) Person() Person {
	return Person{
		Email:           list(f.Email()),
		Phone:           list(f.PhoneDigits()),
		FirstName:       list(f.FirstName()),
		LastName:        list(f.LastName()),
		Gender:          list(f.Gender()),
		Birthday:        list(f.Birthday()),
		City:            list(f.City()),
		State:           list(f.State()),
		Zip:             list(f.Zip()),
		Country:         list(f.Country()),
		ExternalID:      list(f.ExternalID()),
		ClientIPAddress: f.IP(),
		ClientUserAgent: f.UserAgent(),
	}
}

// list returns a value as a list of one; nil for "".
func list(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// DataProcessing is Meta's form of restricted processing, which Snapchat has taken over. It is sent whole or not at all:
// country and state mean nothing without the options.
type DataProcessing struct {
	Options []string `json:"data_processing_options"`
	Country int      `json:"data_processing_options_country"`
	State   int      `json:"data_processing_options_state"`
}

// DataProcessing returns nil unless processing is restricted.
func (c Consent) DataProcessing() *DataProcessing {
	if !c.Restricted {
		return nil
	}
	return &DataProcessing{[]string{"LDU"}, c.Country, c.State}
}

// maxKept is the longest value of a response that a record keeps, in bytes: ten error codes fit.
const maxKept = 500

// Kept returns the values of a response that a record may keep: those that are set and short. nil if none is left. Pass codes
// and counts, never the vendor's texts.
func Kept(values map[string]string) map[string]string {
	kept := map[string]string{}
	for name, v := range values {
		if v != "" && len(v) <= maxKept {
			kept[name] = v
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
