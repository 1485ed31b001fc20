package mixpanel

import (
	"cmp"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type event struct {
	Event      string     `json:"event"`
	Properties properties `json:"properties"`
}

// properties are the event's own and those that have a meaning at Mixpanel. Time, distinct_id, $insert_id and the event's name
// together tell a second copy, so that all are the same on every attempt.
type properties struct {
	Time       int64  `json:"time"`        // in milliseconds
	DistinctID string `json:"distinct_id"` // "" is no person
	InsertID   string `json:"$insert_id"`
	IP         string `json:"ip,omitempty"` // becomes a place and is dropped
	canonical.Properties
}

// earliest is the first time that Mixpanel accepts.
var earliest = time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	at, err := canonical.FixedTime(e, earliest)
	if err != nil {
		return event{}, err
	}
	p, err := f.Properties()
	if err != nil {
		return event{}, err
	}
	return event{Event: f.Name, Properties: properties{
		Time: at.UnixMilli(), DistinctID: cmp.Or(f.OwnExternalID(), f.ExternalID()), InsertID: insertID(p.EventID, e), IP: f.IP(), Properties: p,
	}}, nil
}

// insertIDForm is Mixpanel's form of the id.
var insertIDForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,36}$`)

// insertID is the event's id; a hash where that is the shop's own and of another form.
func insertID(id string, e relay.Event) string {
	if !insertIDForm.MatchString(id) {
		return e.HashedID()
	}
	return id
}
