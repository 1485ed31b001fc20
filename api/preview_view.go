package api

import (
	"time"

	"relay/internal/relay"
)

// PreviewView is the preview of an event.
type PreviewView struct {
	Storefront   string               `json:"storefront" example:"bosley" doc:"The storefront's code."`
	EventType    string               `json:"event_type" example:"purchase_completed" doc:"The type of the event."`
	EventTime    time.Time            `json:"event_time" example:"2026-01-15T10:25:00Z" doc:"When it happened."`
	DedupID      string               `json:"dedup_id" example:"1f3870be274f6c49b3e31a0c6728957f" doc:"The id under which vendors know it."`
	ErasedAt     *time.Time           `json:"erased_at,omitempty" example:"2026-02-15T10:40:03Z" doc:"Of a stored event: when its data was erased. It cannot be sent any more."`
	Levels       []PreviewLevel       `json:"levels" nullable:"false" doc:"The four levels of kill switches, from the top down."`
	Route        PreviewRoute         `json:"route" doc:"Their decision."`
	Destinations []PreviewDestination `json:"destinations" nullable:"false" doc:"Every configured destination of the storefront, with its request."`
}

// PreviewLevel is one switch.
type PreviewLevel struct {
	Level      string       `json:"level" enum:"storefront,sgtm,platform,credential" example:"sgtm" doc:"Which of the four levels."`
	Name       string       `json:"name" example:"meta_capi" doc:"The storefront's code, sgtm, or the platform's code."`
	Active     bool         `json:"active" example:"true" doc:"Whether it lets events through."`
	Reason     relay.Reason `json:"reason,omitempty" example:"sgtm_disabled" doc:"The reason that events get where it does not, for programs."`
	ReasonText string       `json:"reason_text" example:"the container is on: events go there, and only there" doc:"The consequence for this event."`
}

// PreviewRoute is the route of an event.
type PreviewRoute struct {
	Destinations []string     `json:"destinations" nullable:"false" example:"[\"sgtm\"]" doc:"The destinations that get the event."`
	Reason       relay.Reason `json:"reason,omitempty" example:"no_active_destination" doc:"Why no destination gets it, for programs."`
	ReasonText   string       `json:"reason_text,omitempty" example:"no destination is switched on" doc:"The reason, as a text."`
	Accepted     []string     `json:"already_accepted,omitempty" example:"[\"ga4\"]" doc:"Of a stored event: destinations that have it."`
}

// PreviewDestination is the preview of one destination.
type PreviewDestination struct {
	Destination     string         `json:"destination" example:"meta_capi" doc:"sgtm, or a platform's code."`
	Sends           bool           `json:"sends" example:"true" doc:"Whether the event would be sent there now."`
	AlreadyAccepted bool           `json:"already_accepted,omitempty" example:"false" doc:"Of a stored event: the destination has it."`
	Reason          relay.Reason   `json:"reason,omitempty" example:"not_mapped" doc:"Why not, for programs."`
	ReasonText      string         `json:"reason_text,omitempty" example:"no mapping for this type of event" doc:"The reason, as a text."`
	Field           string         `json:"field,omitempty" example:"page_url" doc:"The field at fault, if there is one."`
	EndsAs          relay.Status   `json:"ends_as,omitempty" enum:"failed,skipped" example:"skipped" doc:"The status of the event after the destination's refusal."`
	EventName       string         `json:"event_name,omitempty" example:"Purchase" doc:"The vendor's name for the event."`
	Request         *PreviewHTTP   `json:"request,omitempty" doc:"The exact request; missing where there is none."`
	DroppedFields   []string       `json:"dropped_fields" nullable:"false" example:"[\"zip\"]" doc:"Names of payload fields that would not leave."`
	Withheld        []WithheldView `json:"withheld" nullable:"false" doc:"Payload fields, or parts of them, that a policy keeps back, and why. options.allow lets one through by its name."`
	Warnings        []string       `json:"warnings" nullable:"false" example:"[\"too_old: the event is too old for the platform\"]" doc:"Warnings."`
	MaxAgeHours     float64        `json:"max_age_hours,omitempty" example:"168" doc:"How old an event may be there."`
	AdapterVersion  string         `json:"adapter_version,omitempty" example:"meta/v24" doc:"Which version of the relay's adapter wrote it."`
}

// WithheldView is a payload field that does not leave as it is, and the rule that keeps it back.
type WithheldView struct {
	Field string `json:"field" example:"items.sku" doc:"The field of the payload, or a part of one."`
	Why   string `json:"why" example:"data policy health: items are sent without what names them" doc:"The rule, as a text."`
}

// PreviewHTTP is an HTTP request with its secrets masked.
type PreviewHTTP struct {
	Method  string            `json:"method" example:"POST" doc:"The HTTP method."`
	URL     string            `json:"url" example:"https://gtm.example.com/mp/collect?api_secret=[secret]&measurement_id=G-ABC123" doc:"The address."`
	Headers map[string]string `json:"headers" doc:"The headers. One with a secret in it is [secret] as a whole."`
	Body    any               `json:"body" doc:"The body: hashes, names and numbers as they would leave."`
}

func routeView(r relay.Route) PreviewRoute {
	v := PreviewRoute{Destinations: []string{}, Reason: r.Reason, ReasonText: r.Reason.Text(), Accepted: r.Accepted}
	for _, target := range r.Targets {
		v.Destinations = append(v.Destinations, target.Destination)
	}
	return v
}

// levels explains the four switches one by one.
func levels(s relay.Switches) []PreviewLevel {
	list := []PreviewLevel{{Level: "storefront", Name: s.Storefront.Code, Active: s.Storefront.Active, ReasonText: "the storefront is on"}}
	if !s.Storefront.Active {
		list[0].off(relay.ReasonStorefrontDisabled)
	}
	list = append(list, containerLevel(s.SGTM))
	for _, p := range s.Platforms {
		platform := PreviewLevel{Level: "platform", Name: p.Code, Active: p.PlatformActive && p.HasAdapter, ReasonText: "the platform is on"}
		switch {
		case !p.PlatformActive:
			platform.off(relay.ReasonPlatformDisabled)
		case !p.HasAdapter:
			platform.off(relay.ReasonNoAdapter)
		}
		credential := PreviewLevel{Level: "credential", Name: p.Code, Active: p.CredentialActive, ReasonText: "the storefront's credential is on"}
		if !p.CredentialActive {
			credential.off(relay.ReasonCredentialDisabled)
		}
		list = append(list, platform, credential)
	}
	return list
}

func (l *PreviewLevel) off(r relay.Reason) { l.Reason, l.ReasonText = r, r.Text() }

// containerTakesAll is why platforms get nothing while the container is on.
const containerTakesAll = "the container is on: events go there, and only there"

func containerLevel(c *relay.SGTMSwitch) PreviewLevel {
	l := PreviewLevel{Level: "sgtm", Name: relay.SGTM}
	switch {
	case c == nil:
		l.ReasonText = "the storefront has no container: events go to its platforms"
	case c.Active:
		l.Active, l.ReasonText = true, containerTakesAll
	case c.Stop:
		l.off(relay.ReasonSGTMStop)
	default:
		l.off(relay.ReasonSGTMDisabled)
		l.ReasonText += ": events go to its platforms"
	}
	return l
}
