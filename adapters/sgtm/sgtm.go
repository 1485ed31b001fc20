// Package sgtm speaks to a storefront's server-side Google Tag Manager container, through either of two clients: "ga4"
// (Measurement Protocol at /mp/collect) and "custom" (one flat JSON object at a path of the admin's).
package sgtm

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// Settings and secrets of a container.
const (
	SettingURL           = "sgtm_url"
	SettingClientType    = "client_type"
	SettingMeasurementID = "measurement_id"
	SettingPath          = "custom_endpoint_path"
	SecretAPI            = "api_secret"

	ClientGA4    = "ga4"
	ClientCustom = "custom"

	defaultPath = "/collect"
	version     = "sgtm/1"
)

// Adapter renders events for the container and reads its responses.
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
	if d.Settings[SettingClientType] == ClientGA4 {
		return ga4(d, e)
	}
	return custom(d, e)
}

// post is the request for a body. A second copy does no harm: the container's tags drop copies by event_id or
// transaction_id, and sending twice beats losing.
func post(d relay.Destination, path string, body any) (relay.Request, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	header := map[string]string{"Content-Type": "application/json"}
	maps.Copy(header, canonical.Headers(d))
	return relay.Request{
		Method:     "POST",
		URL:        address(d, path),
		Header:     header,
		Body:       bytes.TrimSuffix(b.Bytes(), []byte("\n")),
		Version:    version,
		Repeatable: true,
	}, nil
}

func address(d relay.Destination, path string) string {
	return strings.TrimRight(d.Settings[SettingURL], "/") + path
}

// Outcome classifies the container's response. Any 2xx means that a client claimed the request; the results of the tags are
// not in it. A container returns 400 for a path that no client claims.
func (Adapter) Outcome(r relay.Response) relay.Result {
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
