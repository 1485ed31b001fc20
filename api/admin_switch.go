package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// maxRoutes is how many storefronts the response to a switch lists.
const maxRoutes = 100

// Switched is the result of setting a kill switch.
type Switched struct {
	ID            int64      `json:"id" example:"5" doc:"The id of the storefront, container, platform or credential."`
	IsActive      bool       `json:"is_active" example:"false" doc:"Its state now."`
	Changed       bool       `json:"changed" example:"true" doc:"Whether it was something else before."`
	Fallback      string     `json:"fallback,omitempty" enum:"direct,stop" example:"direct" doc:"Of an sGTM config: where events go while it is off."`
	SwitchedBy    string     `json:"switched_by,omitempty" example:"anna" doc:"Who set it as it is; missing if the audit log has no entry."`
	SwitchedAt    *time.Time `json:"switched_at,omitempty" example:"2026-01-15T10:15:00Z" doc:"When."`
	Routes        []RouteNow `json:"routes" doc:"Where the events of the storefronts concerned go now; 100 at most."`
	RoutesOmitted bool       `json:"routes_omitted,omitempty" example:"false" doc:"Whether there are more storefronts."`
	DryRun        bool       `json:"dry_run,omitempty" example:"false" doc:"Whether nothing was changed: the rest says what would be."`
	Effect        *Effect    `json:"effect,omitempty" doc:"Of a dry run: what the switch would change."`
}

// RouteNow is where the events of a storefront go now.
type RouteNow struct {
	StorefrontID   int64    `json:"storefront_id" example:"5" doc:"The storefront's integer key."`
	StorefrontCode string   `json:"storefront_code" example:"bosley" doc:"Its code."`
	Destinations   []string `json:"destinations" example:"[\"meta_capi\", \"ga4\"]" doc:"Where its events go: sgtm, or codes of platforms."`
	Reason         string   `json:"reason,omitempty" example:"storefront_disabled" doc:"Why nowhere."`
	Off            []Off    `json:"off" doc:"The switches that are off, with their level."`
	Text           string   `json:"text" example:"events of bosley now go to: meta_capi, ga4" doc:"The same in words."`
}

// Off is a destination that gets nothing, and why.
type Off struct {
	Destination string `json:"destination" example:"tiktok" doc:"The destination."`
	Reason      string `json:"reason" example:"credential_disabled" doc:"Why it gets nothing."`
}

type switchedOutput struct{ Body Switched }

type switchInput struct {
	ID      int64  `path:"id" minimum:"1" maximum:"2147483647" example:"5" doc:"Its id."`
	IfMatch string `header:"If-Match" maxLength:"200" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The ETag of the response on which the switch is based. If it was changed since, the response is 412, and nothing is switched."`
	DryRun  bool   `query:"dry_run" example:"true" doc:"Changes nothing: the answer says what the switch would do, and to how many events in delivery."`
}

type deactivateSGTMInput struct {
	ID       int64  `path:"id" minimum:"1" maximum:"2147483647" example:"3" doc:"Its id."`
	IfMatch  string `header:"If-Match" maxLength:"200" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The ETag of the response on which the switch is based. If it was changed since, the response is 412, and nothing is switched."`
	DryRun   bool   `query:"dry_run" example:"true" doc:"Changes nothing: the answer says what the switch would do, and to how many events in delivery."`
	Fallback string `query:"fallback" enum:"direct,stop" example:"stop" doc:"Where events go while the container is off: directly to the platforms, or nowhere. Without it, as set before."`
}

// flipper activates and deactivates one kind of configuration.
type flipper[T any] struct {
	admin    *Admin
	items    Collection[T]
	flag     func(*T) *bool
	concerns func(ops.Record[T]) (storefront, platform int64) // whose routes it changes
	apply    func(v T, to *relay.Switches)                    // sets the kill switch in what routes are resolved from
}

// switchRoutes are the rows that set the kill switches of a resource.
func switchRoutes[T, View, Input, Patch any](r resource[T, View, Input, Patch], s flipper[T]) []route {
	return []route{
		r.switchRoute("activate", typed(func(ctx context.Context, in *switchInput) (*switchedOutput, error) {
			return s.flip(ctx, in, ops.ActionActivate, func(v *T) { *s.flag(v) = true })
		})),
		r.switchRoute("deactivate", typed(func(ctx context.Context, in *switchInput) (*switchedOutput, error) {
			return s.flip(ctx, in, ops.ActionDeactivate, func(v *T) { *s.flag(v) = false })
		})),
	}
}

func (r resource[T, View, Input, Patch]) switchRoute(verb string, handle binding) route {
	return r.route(writer, verb, http.MethodPost, "/{id}/"+verb, handle, doc{summary: strings.ToUpper(verb[:1]) + verb[1:] + " " + r.one,
		errors: with(adminStatuses.read, http.StatusPreconditionFailed), text: "Sets the kill switch and returns where events go now. It takes effect with the next attempt of every event, " +
			"including those that wait for a retry. It is idempotent. With dry_run=true nothing is changed."})
}

// flip sets a kill switch even if the stored settings are invalid, and returns the new route.
func (s flipper[T]) flip(ctx context.Context, in *switchInput, action ops.Action, set func(*T)) (*switchedOutput, error) {
	if in.DryRun {
		return s.dryRun(ctx, in.ID, set)
	}
	changed := false
	rec, err := s.items.Update(ctx, actOf(ctx, action), in.ID, func(rec ops.Record[T]) (T, error) {
		if err := matches(in.IfMatch, rec.Version); err != nil {
			return rec.Value, err
		}
		v := rec.Value
		set(&v)
		changed = !reflect.DeepEqual(v, rec.Value)
		return v, nil
	})
	if err != nil {
		return nil, err
	}
	storefront, platform := s.concerns(rec)
	found, err := s.admin.Audit.StorefrontSwitches(ctx, storefront, platform, maxRoutes+1)
	if err != nil {
		return nil, err
	}
	out := Switched{ID: rec.ID, IsActive: *s.flag(&rec.Value), Changed: changed, SwitchedBy: rec.SwitchChange.By,
		SwitchedAt: switchedAt(rec.SwitchChange.At), Routes: []RouteNow{}, RoutesOmitted: len(found) > maxRoutes}
	for _, sw := range found[:min(len(found), maxRoutes)] {
		out.Routes = append(out.Routes, s.admin.routeNow(sw, "now"))
	}
	return &switchedOutput{out}, nil
}

// routeNow is where the events of a storefront go, as deliveries resolve it. The text says so with a word such as now.
func (a *Admin) routeNow(s relay.Switches, word string) RouteNow {
	for i, p := range s.Platforms {
		s.Platforms[i].HasAdapter = a.HasAdapter(p.Code)
	}
	route := relay.Resolve(s, relay.Policy{MaxAttempts: 1})
	now := RouteNow{StorefrontID: s.Storefront.ID, StorefrontCode: s.Storefront.Code, Destinations: []string{},
		Reason: string(route.Reason), Off: []Off{}}
	for _, target := range route.Targets {
		now.Destinations = append(now.Destinations, target.Destination)
	}
	for _, off := range route.Disabled {
		now.Off = append(now.Off, Off{off.Destination, string(off.Reason)})
	}
	now.Text = "events of " + now.StorefrontCode + " " + word + " go to: " + strings.Join(now.Destinations, ", ")
	if len(now.Destinations) == 0 {
		now.Text = "events of " + now.StorefrontCode + " " + word + " go nowhere, and end skipped: " + route.Reason.Text()
	}
	return now
}

// sgtmSwitchRoutes are those of containers: switching one off can also set where its events go instead.
func sgtmSwitchRoutes(r resource[ops.SGTMConfig, SGTMConfig, SGTMConfigInput, SGTMConfigPatch], s flipper[ops.SGTMConfig]) []route {
	off := func(ctx context.Context, in *deactivateSGTMInput) (*switchedOutput, error) {
		fallback := ""
		out, err := s.flip(ctx, &switchInput{ID: in.ID, IfMatch: in.IfMatch, DryRun: in.DryRun}, ops.ActionDeactivate, func(v *ops.SGTMConfig) {
			v.Active, v.Fallback = false, cmp.Or(in.Fallback, v.Fallback)
			fallback = v.Fallback
		})
		if err == nil {
			out.Body.Fallback = fallback
		}
		return out, err
	}
	return []route{switchRoutes(r, s)[0], r.switchRoute("deactivate", typed(off))}
}
