// Package sandbox is a platform for development and tests: it takes the same path of routing, credentials, sending and
// recording as any other, to a server with configurable responses. The production binary does not register it.
package sandbox

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"relay/internal/relay"
)

// Adapter posts one small JSON object to <base_url>/platform/<destination's key>.
type Adapter struct{}

// body is the request of the sandbox server.
type body struct {
	EventID   string      `json:"event_id"`
	EventName string      `json:"event_name"`
	OrderID   string      `json:"order_id"`
	Value     json.Number `json:"value,omitempty"`
}

// Check wants an absolute base_url.
func (Adapter) Check(d relay.Destination) error {
	u, err := url.Parse(d.Settings["base_url"])
	if err != nil || u.Host == "" {
		return fmt.Errorf("base_url: must be an absolute URL")
	}
	return nil
}

// Request returns the request for one event, with the access token as a bearer token.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if a.Check(d) != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidField, "base_url")
	}
	rule := d.Options.Events[e.Type]
	if rule.Skip {
		return relay.Request{}, relay.Skip(relay.ReasonEventSkipped)
	}
	name := e.Type
	if rule.Name != "" {
		name = rule.Name
	}
	b, err := json.Marshal(body{e.DedupID(), name, e.OrderID(), e.Payload.Number("order_revenue")})
	if err != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	return relay.Request{
		Method:     "POST",
		URL:        strings.TrimRight(d.Settings["base_url"], "/") + "/platform/" + url.PathEscape(d.Key),
		Header:     map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + d.Secrets["access_token"].Reveal()},
		Body:       b,
		Version:    "sandbox/1",
		EventName:  name,
		Repeatable: true,
	}, nil
}

// Outcome classifies by the status alone; a web page with a 2xx is retried.
func (Adapter) Outcome(r relay.Response) relay.Result {
	res := r.Result()
	if res.Outcome == relay.Accepted && r.IsHTML() {
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON
	}
	return res
}
