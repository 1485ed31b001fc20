// Package sgtm speaks to a storefront's server-side Google Tag Manager container, through either of two clients: "ga4"
// (Measurement Protocol at /mp/collect) and "custom" (one flat JSON object at a path of the admin's).
package sgtm

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"relay"
	"relay/adapters/measurement"
)

// Settings and secrets of a container.
const (
	SettingURL           = "sgtm_url"
	SettingClientType    = "client_type"
	SettingMeasurementID = "measurement_id"
	SettingPath          = "custom_endpoint_path"
	SecretAPI            = "api_secret"
	SecretHeaderPrefix   = "header:" // and the name of a custom header

	ClientGA4    = "ga4"
	ClientCustom = "custom"

	defaultPath = "/collect"
	version     = "sgtm/1"
)

// Adapter is the container's language.
type Adapter struct{}

// Request is the exact request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if err := a.Check(d); err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidField, field)
	}
	if e.Payload == nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	rule := d.Options.Events[e.Type]
	if rule.Skip {
		return relay.Request{}, relay.Skip(relay.ReasonEventSkipped)
	}
	if d.Settings[SettingClientType] == ClientGA4 {
		return ga4(d, e, rule.Name)
	}
	return custom(d, e, rule.Name)
}

func ga4(d relay.Destination, e relay.Event, name string) (relay.Request, error) {
	if name == "" {
		name = e.Type
		if ga, ok := measurement.Names[e.Type]; ok {
			name = ga
		}
	}
	body, dropped := measurement.New(e, name, d.Options)
	q := url.Values{"measurement_id": {d.Settings[SettingMeasurementID]}}
	if secret := d.Secrets[SecretAPI]; secret.IsSet() {
		q.Set("api_secret", secret.Reveal())
	}
	return request(d, "/mp/collect?"+q.Encode(), body, body.Events[0].Name, dropped)
}

// custom passes the whole payload through, under the brief's names; the columns of the row win over the payload.
func custom(d relay.Destination, e relay.Event, name string) (relay.Request, error) {
	if name == "" {
		name = e.Type
	}
	body := map[string]json.RawMessage{}
	for k, v := range e.Payload {
		if d.Options.Allows(k) {
			body[k] = v
		}
	}
	body["event_name"] = measurement.Text(name)
	body["event_id"] = measurement.Text(e.DedupID())
	if !d.Options.Denies("storefront_id") {
		body["storefront_id"] = measurement.Text(e.Storefront.Code)
	}
	if !d.Options.Denies("order_id") {
		body["order_id"] = measurement.Text(e.OrderID())
	}
	if d.Options.CustomAliases {
		aliases(body, e)
	}
	var dropped []string
	for _, k := range slices.Sorted(maps.Keys(e.Payload)) {
		if _, left := body[k]; !left {
			dropped = append(dropped, k)
		}
	}
	path := d.Settings[SettingPath]
	if path == "" {
		path = defaultPath
	}
	return request(d, path, body, name, dropped)
}

func request(d relay.Destination, path string, body any, name string, dropped []string) (relay.Request, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	header := map[string]string{"Content-Type": "application/json"}
	for key, value := range d.Secrets {
		if custom, ok := strings.CutPrefix(key, SecretHeaderPrefix); ok {
			header[textproto.CanonicalMIMEHeaderKey(custom)] = value.Reveal()
		}
	}
	return relay.Request{
		Method:    "POST",
		URL:       strings.TrimRight(d.Settings[SettingURL], "/") + path,
		Header:    header,
		Body:      bytes.TrimSuffix(b.Bytes(), []byte("\n")),
		Version:   version,
		EventName: name,
		Dropped:   dropped,
		// The container's tags drop copies by event_id or transaction_id; sending twice beats losing.
		Repeatable: true,
	}, nil
}

// Outcome reads the container's answer. Any 2xx means that a client claimed the request; what the tags made of it nobody
// says. 400 is what a container answers for a path that no client claims.
func (Adapter) Outcome(r relay.Reply) relay.Result {
	res := r.Result()
	switch {
	case r.Status == 206:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonPartial
	case r.Status >= 200 && r.Status < 300 && r.IsHTML():
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonNotATagServer
	case r.Status >= 200 && r.Status < 300:
		res.Outcome, res.Reason = relay.Accepted, ""
	case r.Status == 400:
		res.Reason = relay.ReasonUnclaimed
	}
	return res
}
