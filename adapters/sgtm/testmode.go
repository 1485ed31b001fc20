package sgtm

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	// TestEvent is the name of a test event. It marks the event for the container's triggers and in its log.
	TestEvent = "relay_test"
	// SettingPreview is the value of the container's preview header for a test event alone; it is not stored.
	SettingPreview = "preview_header"

	previewHeader = "X-Gtm-Server-Preview"
)

// testFields are the fields that a test event keeps: a container has no test mode, and its tags forward every event.
// Neither a made-up sale nor a made-up person may reach the vendors behind it.
var testFields = []string{"event_time", "storefront_id", "page_location"}

// TestRequest is the request for one event named relay_test, with the container's preview header where a custom header or
// the setting has it. No option holds the event back.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	d.Options = relay.Options{CustomAliases: d.Options.CustomAliases}
	secrets := map[string]relay.Secret{}
	maps.Copy(secrets, d.Secrets)
	d.Secrets = secrets
	if value := d.Settings[SettingPreview]; value != "" {
		if canonical.CheckHeader(previewHeader, relay.NewSecret(value)) != nil {
			return relay.Request{}, relay.Refuse(relay.ReasonInvalidField, SettingPreview)
		}
		maps.DeleteFunc(d.Secrets, func(key string, _ relay.Secret) bool {
			return strings.EqualFold(key, canonical.SecretHeaderPrefix+previewHeader)
		})
		d.Secrets[canonical.SecretHeaderPrefix+previewHeader] = relay.NewSecret(value)
	}
	e.Type = TestEvent
	e.Storefront.RequireConsent = false // no person is there to be asked
	e.Payload = maps.Clone(e.Payload)
	maps.DeleteFunc(e.Payload, func(name string, _ json.RawMessage) bool { return !slices.Contains(testFields, name) })
	r, err := a.Request(d, e)
	if err != nil {
		return r, err
	}
	r.Warnings = append(r.Warnings, "the response comes from the container's client; the container's preview shows which tags ran")
	if r.Header[previewHeader] == "" {
		r.Warnings = append(r.Warnings, "without "+previewHeader+" the container's preview does not show the event")
	}
	return r, nil
}
