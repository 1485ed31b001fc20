// Package klaviyo sends events to Klaviyo's Create Event API.
//
// Sources: https://developers.klaviyo.com/en/reference/create_event; github.com/klaviyo/openapi @f0a30ba, revision 2026-07-15.
package klaviyo

import (
	"cmp"
	"errors"
	"regexp"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	apiURL   = "https://a.klaviyo.com/api"
	revision = "2026-07-15"
	version  = "klaviyo/1"

	// flowAge is the age from which an event starts no flow: no customer expects the e-mail of yesterday's order. Klaviyo has no limit.
	flowAge = 24 * time.Hour
)

// SecretPrivateKey is the name of the secret in the catalogue. The public key and the list serve other APIs.
const SecretPrivateKey = "private_api_key"

// Events are metrics, which Klaviyo makes on first use. A consultation and a prescription have no default: a metric starts flows and
// is shown beside the person.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "Placed Order"},
	Proposed: map[string]string{
		"consult_started": "Lead", "refund": "Refunded Order", "order_refunded": "Refunded Order", "refund_issued": "Refunded Order",
		"subscription_started": "Started Subscription", "subscription_renewed": "Renewed Subscription", "renewal": "Renewed Subscription",
		"subscription_cancelled": "Cancelled Subscription", "cancellation": "Cancelled Subscription", "order_cancelled": "Cancelled Order",
	},
}

var traits = canonical.Traits{
	Plain:   true,
	Version: canonical.Form{Pattern: regexp.MustCompile(`^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`), Like: revision},
}

// Adapter renders events for Klaviyo and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(canonical.CheckAs(d, traits), canonical.CheckToken(d, SecretPrivateKey), checkKey(d))
}

// checkKey finds the public key, which looks like a key as well and cannot send events.
func checkKey(d relay.Destination) error {
	if !strings.HasPrefix(d.Secrets[SecretPrivateKey].Reveal(), "pk_") {
		return errors.New(SecretPrivateKey + ": must begin with pk_")
	}
	return nil
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Everything, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	b, err := newBody(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	api := canonical.APIVersion(d, revision)
	return f.Post(version+" "+api, canonical.Base(d, apiURL, "")+"/events",
		map[string]string{"Authorization": "Klaviyo-API-Key " + d.Secrets[SecretPrivateKey].Reveal(), "Revision": api}, b)
}
