package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// DestinationStore lists the configured destinations of storefronts and probes them.
type DestinationStore interface {
	// DestinationStatuses lists one page of them, and reports whether there are more.
	DestinationStatuses(ctx context.Context, q ops.DestinationQuery) ([]ops.DestinationStatus, bool, error)
	// DestinationHistory returns the newest lines of the audit about one: its settings, its probes, and the switches on its way.
	DestinationHistory(ctx context.Context, d ops.DestinationStatus, most int) ([]ops.AuditEntry, error)
	// StartProbe sets one event that failed at an unhealthy destination back to pending, as its probe, and returns its id; 0
	// where no event failed there. With it the lines go into the audit.
	StartProbe(ctx context.Context, p relay.Place, now bool, next time.Duration, lines ...ops.AuditEntry) (event int64, err error)
}

const (
	tagDestinations = "Destinations"

	actionProbe ops.Action = "probe"

	maxDestinations     = 100 // of one page
	defaultDestinations = 50
	historyLines        = 10
)

type listDestinationsInput struct {
	Storefront  string               `query:"storefront" maxLength:"50" example:"bosley" doc:"A storefront's code."`
	Destination string               `query:"destination" maxLength:"50" pattern:"^[A-Za-z0-9_-]*$" example:"sgtm" doc:"sgtm, or a platform's code."`
	Health      relay.HealthState    `query:"health" enum:"healthy,failing,unhealthy" example:"unhealthy" doc:"The health of the destination."`
	State       ops.DestinationIssue `query:"state" enum:"ill,unhealthy,failing,off,quiet" example:"ill" doc:"Destinations that need a look: ill are those that are failing or unhealthy; off, from which a kill switch keeps events; quiet, that get events and have accepted none for 24 hours."`
	Limit       int                  `query:"limit" minimum:"1" maximum:"100" example:"50" doc:"Page size at most; 50 if missing."`
	Storefronts int                  `query:"storefronts" minimum:"1" maximum:"100" example:"50" doc:"Page size in storefronts, instead of limit: each with all of its destinations that match."`
	Cursor      string               `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

type destinationListOutput struct{ Body DestinationList }

type destinationInput struct {
	Storefront  string `path:"storefront" maxLength:"50" example:"bosley" doc:"The storefront's code."`
	Destination string `path:"destination" maxLength:"50" pattern:"^[A-Za-z0-9_-]+$" example:"sgtm" doc:"sgtm, or a platform's code."`
}

type destinationOutput struct{ Body DestinationDetail }

type probeOutput struct{ Body ProbeAnswer }

func (h opsHandlers) listDestinations(ctx context.Context, in *listDestinationsInput) (*destinationListOutput, error) {
	q := ops.DestinationQuery{Destination: in.Destination, Health: in.Health, Issue: in.State, Adapters: slices.Collect(maps.Keys(h.Adapters))}
	err := in.page(&q)
	if err != nil {
		return nil, err
	}
	if q.StorefrontID, err = h.storefrontID(ctx, in.Storefront, "storefront"); err != nil {
		return nil, err
	}
	list, more, err := h.Destinations.DestinationStatuses(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &destinationListOutput{DestinationList{Items: []DestinationView{}}}
	for _, d := range list {
		out.Body.Items = append(out.Body.Items, h.destinationView(d))
	}
	if more {
		last := list[len(list)-1]
		next := cursor{Sort: destinationOrder, Value: last.Destination, ID: last.StorefrontID}
		if q.Storefronts != 0 {
			next = cursor{Sort: storefrontOrder, ID: last.StorefrontID}
		}
		out.Body.NextCursor = next.String()
	}
	return out, nil
}

// The orders of the two kinds of pages: a cursor of one is none of the other.
const (
	destinationOrder = "storefront_id"
	storefrontOrder  = "storefronts"
)

// page reads which page is asked for.
func (in *listDestinationsInput) page(q *ops.DestinationQuery) error {
	q.Limit, q.Storefronts = cmp.Or(in.Limit, defaultDestinations), in.Storefronts
	if in.Limit != 0 && in.Storefronts != 0 {
		return refuseField(codeInvalidParameter, "storefronts", "limit and storefronts are two ways to say how long a page is; use one")
	}
	if in.Cursor == "" {
		return nil
	}
	order := destinationOrder
	if in.Storefronts != 0 {
		order = storefrontOrder
	}
	c, err := parseCursor(in.Cursor, order)
	q.After, q.AfterStorefront = &relay.Place{StorefrontID: c.ID, Destination: c.Value}, c.ID
	return err
}

// getDestination returns one destination with its history.
func (h opsHandlers) getDestination(ctx context.Context, in *destinationInput) (*destinationOutput, error) {
	d, err := h.destination(ctx, in.Storefront, in.Destination)
	if err != nil {
		return nil, err
	}
	lines, err := h.Destinations.DestinationHistory(ctx, d, historyLines)
	if err != nil {
		return nil, err
	}
	out := DestinationDetail{h.destinationView(d), []AuditEntry{}}
	for _, line := range lines {
		out.History = append(out.History, auditView(line))
	}
	return &destinationOutput{out}, nil
}

// probe starts the probe of an unhealthy destination.
func (h opsHandlers) probe(ctx context.Context, in *destinationInput) (*probeOutput, error) {
	d, err := h.destination(ctx, in.Storefront, in.Destination)
	if err != nil {
		return nil, err
	}
	if receives, reason := h.receives(d); !receives {
		return nil, refuseWith(codeDestinationOff, "the destination gets no events: "+reason.Text())
	}
	out := &probeOutput{ProbeAnswer{Destination: h.destinationView(d), Probe: "not_needed", Text: "The destination is not unhealthy: its events are sent."}}
	if !d.Health.Unhealthy {
		return out, nil
	}
	line := entry(ctx, actionProbe, ops.EntityDestination, 0, in.Storefront+"/"+in.Destination)
	event, err := h.Destinations.StartProbe(ctx, d.Place, true, h.Policy.ProbeDelay(d.Health.Probes+1, d.Health.Reason), line)
	if err != nil {
		return nil, err
	}
	if event != 0 {
		out.Body.Probe, out.Body.EventID = "started", event
		out.Body.Text = fmt.Sprintf("Event %d is sent again.", event)
		return out, nil
	}
	if err := h.audit(ctx, actionProbe, ops.EntityDestination, 0, line.Name); err != nil {
		return nil, err
	}
	out.Body.Probe, out.Body.Text = "next_event", "No failed event can be sent again: the next new event is the probe."
	return out, h.Events.ProbeNow(ctx, d.StorefrontID, d.Destination)
}

// destination reads one configured destination.
func (h opsHandlers) destination(ctx context.Context, storefront, destination string) (ops.DestinationStatus, error) {
	if storefront == "" || destination == "" { // a query without them is one for all
		return ops.DestinationStatus{}, refuseWith(codeNotFound, "the storefront has no such destination")
	}
	list, _, err := h.Destinations.DestinationStatuses(ctx, ops.DestinationQuery{Storefront: storefront, Destination: destination, Limit: 1})
	if err == nil && (len(list) == 0 || list[0].StorefrontCode != storefront) { // the column ignores trailing spaces, and in an older table perhaps case
		err = refuseWith(codeNotFound, "the storefront has no such destination")
	}
	if err != nil {
		return ops.DestinationStatus{}, err
	}
	return list[0], nil
}

// unhealthy lists the unhealthy destinations that a filter may concern, the first ones. A container is one, wherever the events
// had failed: it gets them now.
func (h opsHandlers) unhealthy(ctx context.Context, f ops.Filter) ([]ops.DestinationStatus, error) {
	list, _, err := h.Destinations.DestinationStatuses(ctx, ops.DestinationQuery{StorefrontID: f.StorefrontID, Health: relay.Unhealthy,
		Limit: maxDestinations})
	at := cmp.Or(f.FailedAt, f.Destination)
	return slices.DeleteFunc(list, func(d ops.DestinationStatus) bool {
		receives, _ := h.receives(d)
		return !receives || at != "" && at != d.Destination && d.Destination != relay.SGTM
	}), err
}

// receives reports whether a destination gets its storefront's events, and the reason.
func (h opsHandlers) receives(d ops.DestinationStatus) (bool, relay.Reason) {
	d.Switches.Platforms = slices.Clone(d.Switches.Platforms)
	for i, p := range d.Switches.Platforms {
		_, d.Switches.Platforms[i].HasAdapter = h.Adapters[p.Code]
	}
	return d.Receives()
}
