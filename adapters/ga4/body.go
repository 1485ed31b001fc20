package ga4

import (
	"relay"
	"relay/adapters/canonical"
	"relay/adapters/measurement"
)

// body is the Measurement Protocol's, with the parts that only a direct sender fills.
type body struct {
	measurement.Body
	IPOverride string    `json:"ip_override,omitempty"`
	UserData   *userData `json:"user_data,omitempty"`
}

func newBody(d relay.Destination, e relay.Event, f *canonical.Fields, p params) body {
	b := body{
		Body: measurement.Body{
			ClientID:        clientID(e, f),
			TimestampMicros: canonical.Time(e).UnixMicro(),
			Consent:         consent(d, f),
			Events:          []measurement.Event{{Name: f.Name, Params: p}},
		},
		IPOverride: f.IP(),
	}
	if !adsDenied(d, f) { // what Google has user_data for is ads
		b.UserID, b.UserData = f.ExternalID(), newUserData(e, f)
	}
	return b
}

// clientID is the browser's or the session's id where identifiers are switched on, else a stable one of our own, made from
// the order: only the browser's real one joins the event to what GA4 knows of the person.
func clientID(e relay.Event, f *canonical.Fields) string {
	p := relay.Payload{}
	if id := f.Identifier(nil, "ga_client_id", "_ga"); id != "" {
		p["ga_client_id"] = measurement.Text(id)
	} else if id := f.Identifier(nil, "session_id"); id != "" {
		p["session_id"] = measurement.Text(id)
	}
	return measurement.ClientID(e, p)
}

// consent is what the payload says about ads, in the two words that the protocol has for it. It replaces the deprecated
// non_personalized_ads.
func consent(d relay.Destination, f *canonical.Fields) *measurement.Consent {
	if adsDenied(d, f) {
		return &measurement.Consent{AdUserData: string(canonical.Denied), AdPersonalization: string(canonical.Denied)}
	}
	c := measurement.Consent{
		AdUserData:        string(f.Consent.AdUserData),
		AdPersonalization: string(f.Consent.AdPersonalization),
	}
	if c == (measurement.Consent{}) {
		return nil
	}
	return &c
}

// adsDenied reports whether the event may be measured and serve no advertising: by the shopper's word or the admin's.
func adsDenied(d relay.Destination, f *canonical.Fields) bool { return f.Consent.AdsLimited(d.Options) }
