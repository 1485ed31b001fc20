package sgtm

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

const (
	// ga4Age is the greatest age at which GA4 accepts an event. Other tags of a container may accept older ones.
	ga4Age = 72 * time.Hour
	// maxGA4Body is the longest body that GA4 takes, in bytes.
	maxGA4Body = 130_000
)

// ga4Body is GA4's, with the browser, which Google reads from the request of the browser alone.
type ga4Body struct {
	measurement.Body
	UserAgent string `json:"user_agent,omitempty"`
}

// ga4 sends the fields of direct GA4, and those that options.allow names.
func ga4(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Open(d, e, canonical.Rules{Names: measurement.Names, Consent: permits(d), Restricts: true, Container: true})
	if err != nil {
		return relay.Request{}, err
	}
	if e.Age() > ga4Age {
		f.Warn("the event is older than the 72 hours that GA4 accepts")
	}
	consent := f.Consent
	if !enforces(d) {
		f.Consent = canonical.Consent{} // the tags obey, not the relay
	}
	said := map[string]json.RawMessage{}
	if !enforces(d) && decided(consent) {
		said[gcsParam] = gcs(consent)
	}
	body := ga4Body{}
	if body.Body, err = measurement.Build(f, d, e, said, d.Options.Allow...); err != nil {
		return relay.Request{}, err
	}
	body.UserAgent = f.UserAgent()
	if !enforces(d) {
		body.Consent = measurement.NewConsent(d, consent)
	}
	r, err := f.Post(version, address(d, "/mp/collect?"+query(d)), canonical.Headers(d), body)
	if err != nil {
		return relay.Request{}, err
	}
	if len(r.Body) > maxGA4Body {
		return relay.Request{}, relay.Refuse(relay.ReasonTooLarge, "items")
	}
	r.Dropped = body.Dropped(r.Dropped, consent)
	if said[gcsParam] != nil {
		r.Dropped = slices.DeleteFunc(r.Dropped, func(name string) bool { return slices.Contains(consent.Fields, name) })
	}
	return r, nil
}

func query(d relay.Destination) string {
	q := url.Values{"measurement_id": {d.Settings[SettingMeasurementID]}}
	if secret := d.Secrets[SecretAPI]; secret.IsSet() {
		q.Set("api_secret", secret.Reveal())
	}
	return q.Encode()
}
