// Package tracking builds requests for the HTTP tracking API that Segment has defined and RudderStack has adopted: POST /v1/track
// with HTTP Basic. It knows neither addresses nor the two vendors' own responses.
//
// Sources: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api;
// https://www.rudderstack.com/docs/api/http-api/; github.com/rudderlabs/rudder-server @f2655fbb, gateway.
package tracking

import (
	"fmt"
	"maps"
	"regexp"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// SecretWriteKey is the key of a source, by the catalogue's name.
const SecretWriteKey = "write_key"

// apiVersion is the version in the path.
const apiVersion = "v1"

// maxBody is the largest call that Segment takes, in bytes; RudderStack's limit is its batches' alone.
const maxBody = 32 << 10

// Events are those of Segment's specification for commerce and for leads. Names that it lacks are in its style.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "Order Completed", "consult_started": "Lead Generated"},
	Proposed: map[string]string{
		"rx_issued": "Application Submitted", "refund": "Order Refunded", "order_refunded": "Order Refunded", "refund_issued": "Order Refunded",
		"subscription_started": "Subscription Started", "subscription_renewed": "Subscription Renewed", "renewal": "Subscription Renewed",
		"subscription_cancelled": "Subscription Cancelled", "cancellation": "Subscription Cancelled", "order_cancelled": "Order Cancelled",
	},
}

// writeKey has no colon, which ends the user in HTTP Basic.
var writeKey = regexp.MustCompile(`^[!-9;-~]{1,200}$`)

// Check validates the settings that both vendors share. Its error names the field.
func Check(d relay.Destination) error {
	if err := canonical.CheckAs(d, canonical.Traits{Plain: true}); err != nil {
		return err
	}
	if !writeKey.MatchString(d.Secrets[SecretWriteKey].Reveal()) {
		return fmt.Errorf("%s: is missing or has invalid characters", SecretWriteKey)
	}
	return nil
}

// At is a destination with this address, for a vendor whose address depends on a setting.
func At(d relay.Destination, address string) relay.Destination {
	d.Settings = maps.Clone(d.Settings)
	if d.Settings == nil {
		d.Settings = map[string]string{}
	}
	d.Settings[canonical.SettingBaseURL] = address
	return d
}

// Request returns the request for one event at the destination's address. check is the adapter's own.
//
// A refusal of any part of consent skips the event: the form of the API's own consent object is UNCONFIRMED, and what is behind the API
// is not known.
func Request(d relay.Destination, e relay.Event, check func(relay.Destination) error, version string) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Everything, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	b, err := newBody(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, "", apiVersion)
	r, err := f.Post(canonical.Version(version, base), base+"/track",
		map[string]string{"Authorization": canonical.BasicAuth(d.Secrets[SecretWriteKey].Reveal(), "")}, b)
	if err == nil && len(r.Body) > maxBody {
		return relay.Request{}, relay.Refuse(relay.ReasonTooLarge, "items")
	}
	return r, err
}

// Outcome classifies a response by its status: a success has any body but a web page, and a refusal's text may repeat the event.
func Outcome(r relay.Response) relay.Result {
	res, _ := canonical.ReadStatus(r, &struct{}{})
	return res
}
