// Package rudderstack sends events to a RudderStack data plane, which has Segment's HTTP tracking API.
//
// Sources: https://www.rudderstack.com/docs/api/http-api/; github.com/rudderlabs/rudder-server @f2655fbb, gateway/response.
package rudderstack

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/adapters/tracking"
	"relay/internal/relay"
)

const (
	// apiURL is the catalogue's address, with a place for the host.
	apiURL  = "https://" + place
	place   = "{" + SettingHost + "}"
	version = "rudderstack/1"
)

// SettingHost is the host of the data plane, by the catalogue's name.
const SettingHost = "data_plane_host"

// host is a name with a dot, and a port where it has one. An address inside of the network is the outbound rules' to refuse.
var host = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{1,63}(:[0-9]{1,5})?$`)

// Adapter renders events for RudderStack and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return tracking.Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	if !host.MatchString(d.Settings[SettingHost]) {
		return fmt.Errorf("%s: must be a host name, without https:// and path", SettingHost)
	}
	return tracking.Check(located(d))
}

// Request returns the request for one event. It is not repeatable: RudderStack drops second copies only where its owner has switched
// that on (UNCONFIRMED for its cloud).
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	r, err := tracking.Request(located(d), e, a.Check, version)
	r.Repeatable = false
	return r, err
}

// located is a destination whose address has its host in the place for it.
func located(d relay.Destination) relay.Destination {
	return tracking.At(d, strings.ReplaceAll(cmp.Or(d.Settings[canonical.SettingBaseURL], apiURL), place, d.Settings[SettingHost]))
}

// Outcome classifies RudderStack's response: its 404 says that the source is disabled.
func (Adapter) Outcome(r relay.Response) relay.Result {
	res := tracking.Outcome(r)
	if r.Status == 404 && res.Outcome == relay.Rejected {
		res.Outcome = relay.Unauthorized
	}
	return res
}
