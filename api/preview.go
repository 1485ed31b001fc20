package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"relay/internal/ops"
	"relay/internal/relay"
)

// jsonObject is a JSON object whose bytes stay as they were sent.
type jsonObject []byte

// UnmarshalJSON keeps the bytes.
func (o *jsonObject) UnmarshalJSON(b []byte) error {
	*o = bytes.Clone(b)
	return nil
}

// MarshalJSON writes them unchanged.
func (o jsonObject) MarshalJSON() ([]byte, error) { return o, nil }

// Schema is for the document: any object.
func (jsonObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// PreviewRequest names the event to look at: whole, or by its row.
type PreviewRequest struct {
	Event jsonObject `json:"event,omitempty" example:"{\"storefront_id\":\"bosley\",\"event_name\":\"purchase_completed\",\"event_time\":\"2026-01-15T10:25:00Z\",\"order_id\":\"2025020100003333\",\"order_revenue\":80.79,\"t-value\":\"\"}" doc:"One item as POST /v1/events takes it."`
	ID    int64      `json:"id,omitempty" minimum:"1" maximum:"9007199254740991" example:"4711" doc:"Or the row of a stored event. Values that are not known to be harmless are then [redacted] in the requests that are shown."`
}

type previewInput struct{ Body PreviewRequest }

type previewOutput struct{ Body PreviewView }

func (h opsHandlers) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	var event relay.Event
	var setup ops.StorefrontConfig
	var err error
	stored := in.Body.ID != 0
	switch {
	case stored == (len(in.Body.Event) > 0):
		return nil, refuseField(codeMissingField, "event", "either event or id is required, and not both")
	case stored:
		event, setup, err = h.Configs.EventConfig(ctx, in.Body.ID)
		err = gone(err, "event of a known storefront")
	default:
		event, setup, err = h.parseEvent(ctx, in.Body.Event)
	}
	if err != nil {
		return nil, err
	}
	v := h.previewOf(event, setup, stored)
	if stored {
		err = h.markErased(ctx, in.Body.ID, &v)
	}
	return &previewOutput{v}, err
}

// markErased marks the preview of an erased event: it is not sent.
func (h opsHandlers) markErased(ctx context.Context, id int64, v *PreviewView) error {
	e, err := h.Events.EventDetail(ctx, id)
	if err != nil || e.ErasedAt.IsZero() {
		return gone(err, "event")
	}
	v.ErasedAt = timeOrNone(e.ErasedAt)
	v.Route = PreviewRoute{Destinations: []string{}, Reason: relay.ReasonErased, ReasonText: relay.ReasonErased.Text(), Accepted: v.Route.Accepted}
	for i := range v.Destinations {
		v.Destinations[i].Sends = false
		v.Destinations[i].setReason(relay.ReasonErased, "")
	}
	return nil
}

// parseEvent reads an item as ingestion does.
func (h opsHandlers) parseEvent(ctx context.Context, item []byte) (relay.Event, ops.StorefrontConfig, error) {
	body := slices.Concat([]byte(`{"data":[`), item, []byte(`]}`))
	b, err := decode(&source{r: bytes.NewReader(body)})
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, err
	}
	if len(b.items) != 1 {
		var errs []FieldError
		for _, n := range b.errors {
			errs = append(errs, FieldError{"event." + n.Field, n.Code, n.Message})
		}
		return relay.Event{}, ops.StorefrontConfig{}, refuseFields(errs)
	}
	e := b.items[0].event
	id, err := h.storefrontID(ctx, e.StorefrontCode, "event.storefront_id")
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, err
	}
	setup, err := h.Configs.StorefrontConfig(ctx, id)
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, err
	}
	payload, err := relay.ParsePayload(e.Payload)
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, refuseField(codeInvalidItem, "event", codeInvalidItem.message())
	}
	now := time.Now().UTC()
	return relay.Event{EventID: e.EventID, Type: e.Type, Source: relay.SourceAPI, Storefront: setup.Switches.Storefront, Payload: payload,
		CreatedAt: now, Now: now}, setup, nil
}

// previewOf puts an event and a setup through the same pure functions that a delivery uses.
func (h opsHandlers) previewOf(e relay.Event, s ops.StorefrontConfig, redact bool) PreviewView {
	for i, p := range s.Switches.Platforms {
		_, s.Switches.Platforms[i].HasAdapter = h.Adapters[p.Code]
	}
	route := relay.Resolve(s.Switches, h.Policy)
	v := PreviewView{
		Storefront: s.Switches.Storefront.Code, EventType: e.Type, DedupID: e.DedupID(), EventTime: e.Time(),
		Levels: levels(s.Switches), Route: routeView(route), Destinations: []PreviewDestination{},
	}
	keys := slices.Collect(maps.Keys(s.Destinations))
	keys = append(keys, slices.Collect(maps.Keys(s.Unreadable))...)
	slices.SortFunc(keys, func(a, b string) int { // the container first
		return cmp.Or(-cmp.Compare(bool01(a == relay.SGTM), bool01(b == relay.SGTM)), cmp.Compare(a, b))
	})
	for _, key := range keys {
		v.Destinations = append(v.Destinations, h.previewAt(key, e, s, route, redact))
	}
	return v
}

func bool01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// previewAt returns the preview of one destination.
func (h opsHandlers) previewAt(key string, e relay.Event, s ops.StorefrontConfig, route relay.Route, redact bool) PreviewDestination {
	_, on := route.Target(key)
	p := PreviewDestination{Destination: key, Sends: on, Warnings: []string{}, DroppedFields: []string{}, Withheld: []WithheldView{}}
	if !on {
		p.setReason(route.BlockedBy(key), "")
		if _, container := route.Target(relay.SGTM); container {
			p.Reason, p.ReasonText = "", containerTakesAll
		}
	}
	if slices.Contains(route.Accepted, key) {
		p.AlreadyAccepted = true
		p.setReason("", "")
	}
	adapter, known := h.Adapters[key]
	switch {
	case s.Unreadable[key]:
		p.Sends = false
		p.setReason(relay.ReasonCredentialUnreadable, "")
		return p
	case !known:
		p.Sends = false
		p.setReason(relay.ReasonNoAdapter, "")
		return p
	}
	d := s.Destinations[key]
	if err := adapter.Check(d); err != nil {
		p.warn("settings: " + maskSecrets(err.Error(), d))
	} else {
		p.warn(settingWarnings(adapter, d, e.Storefront)...)
	}
	r, err := relay.Render(adapter, d, e)
	if err != nil {
		p.refused(err)
		return p
	}
	p.describe(r, d, e, redact)
	return p
}

// warn adds warnings, each once: an adapter may repeat for an event the warning of its settings.
func (p *PreviewDestination) warn(words ...string) {
	for _, w := range words {
		if !slices.Contains(p.Warnings, w) {
			p.Warnings = append(p.Warnings, w)
		}
	}
}

func (p *PreviewDestination) setReason(r relay.Reason, field string) {
	p.Reason, p.ReasonText, p.Field = r, r.Text(), field
}

// refused says why the adapter would not send the event; that explains more than a switch that is off.
func (p *PreviewDestination) refused(err error) {
	p.Sends = false
	var refusal *relay.Refusal
	if !errors.As(err, &refusal) {
		refusal = &relay.Refusal{Reason: relay.ReasonInvalidPayload}
	}
	p.setReason(refusal.Reason, refusal.Field)
	p.EndsAs = relay.StatusFailed
	if refusal.Skip {
		p.EndsAs = relay.StatusSkipped
	}
}

func (p *PreviewDestination) describe(r relay.Request, d relay.Destination, e relay.Event, redact bool) {
	shown := maskRequest(r, d)
	if redact {
		shown.redact()
		r.Dropped = relay.RedactNames(r.Dropped)
	}
	p.Request = &PreviewHTTP{Method: shown.Method, URL: shown.URL, Headers: shown.Headers, Body: jsonOrText(shown.Body)}
	p.EventName, p.AdapterVersion = r.EventName, r.Version
	p.DroppedFields = append(p.DroppedFields, r.Dropped...)
	for _, w := range r.Withheld {
		if redact {
			w.Field = relay.RedactName(w.Field)
		}
		p.Withheld = append(p.Withheld, WithheldView(w))
	}
	p.warn(r.Warnings...)
	if r.MaxAge == 0 {
		return
	}
	p.MaxAgeHours = r.MaxAge.Hours()
	if e.Age() > r.MaxAge {
		p.warn(string(relay.ReasonTooOld) + ": " + relay.ReasonTooOld.Text())
	}
}
