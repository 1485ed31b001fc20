// Package webhook sends events to an address of the storefront's own choice, as Standard Webhooks 1.0.0.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package webhook

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const version = "webhook/1"

// Settings and secrets, by the catalogue's names. Custom headers are secrets named canonical.SecretHeaderPrefix and their name.
const (
	SettingURL            = "url"
	SecretSigning         = "signing_secret"
	SecretSigningPrevious = "signing_secret_previous" // the one before, while receivers change over
)

// Events keep their own names. options.events sets others for a receiver that needs them.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "purchase_completed", "consult_started": "consult_started"},
	Proposed: map[string]string{
		"rx_issued": "application_submitted", "refund": "refund", "order_refunded": "order_refunded", "refund_issued": "refund_issued",
		"subscription_started": "subscription_started", "subscription_renewed": "subscription_renewed", "renewal": "renewal",
		"subscription_cancelled": "subscription_cancelled", "cancellation": "cancellation", "order_cancelled": "order_cancelled",
	},
}

// Adapter renders events for a webhook and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.CheckAs(d, canonical.Traits{Plain: true}),
		canonical.CheckURL(d, SettingURL),
		checkSecret(d, SecretSigning),
		checkSecret(d, SecretSigningPrevious),
		checkRotation(d),
		canonical.CheckHeaders(d, relay.HeaderWebhookID, relay.HeaderWebhookTimestamp, relay.HeaderWebhookSignature, "Content-Type"),
	)
}

func checkSecret(d relay.Destination, name string) error {
	if !d.Secrets[name].IsSet() {
		return nil
	}
	if _, err := relay.WebhookKey(d.Secrets[name]); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func checkRotation(d relay.Destination) error {
	if d.Secrets[SecretSigningPrevious].IsSet() && !d.Secrets[SecretSigning].IsSet() {
		return fmt.Errorf("%s: is missing; %s alone signs nothing", SecretSigning, SecretSigningPrevious)
	}
	return nil
}

// SettingWarnings warns of a receiver that cannot authenticate the relay.
func (Adapter) SettingWarnings(d relay.Destination) []string {
	if d.Secrets[SecretSigning].IsSet() || len(canonical.Headers(d)) > 0 {
		return nil
	}
	return []string{"neither signing_secret nor a custom header is set: the receiver cannot tell who sends"}
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Everything, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	b, err := newBody(f, d, e)
	if err != nil {
		return relay.Request{}, err
	}
	header := map[string]string{relay.HeaderWebhookID: messageID(b.Data.EventID, e)}
	maps.Copy(header, canonical.Headers(d))
	r, err := f.Post(version, d.Settings[SettingURL], header, b)
	switch {
	case err != nil:
		return relay.Request{}, err
	case len(r.Body) > maxBody:
		return relay.Request{}, relay.Refuse(relay.ReasonTooLarge, "event_payload")
	case len(r.Body) > advisedBody:
		r.Warnings = append(r.Warnings, "the body is larger than the 20 kB that Standard Webhooks advises")
	}
	r.Auth = relay.Auth{Kind: relay.AuthStandardWebhooks, Secrets: signing(d)}
	return r, nil
}

// messageID returns the event's id. The signed text ends the id at its first dot, so that an id of the shop's own with a dot is hashed.
func messageID(id string, e relay.Event) string {
	if strings.Contains(id, ".") {
		return e.HashedID()
	}
	return id
}

// signing returns the names of the signing secrets, the newest first.
func signing(d relay.Destination) []string {
	var names []string
	for _, name := range []string{SecretSigning, SecretSigningPrevious} {
		if d.Secrets[name].IsSet() {
			names = append(names, name)
		}
	}
	return names
}

// Outcome classifies the receiver's response by its status alone, because its body has no fixed form, nor does the part of it that is
// missing matter. 410 means that the receiver was removed.
func (Adapter) Outcome(r relay.Response) relay.Result {
	res := r.Result()
	switch {
	case r.Status >= 200 && r.Status < 300:
		res.Outcome, res.Reason = relay.Accepted, ""
	case r.Status == 410:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonNotFound
	}
	return res
}
