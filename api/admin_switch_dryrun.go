package api

import (
	"context"
	"reflect"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

// maxTouched is how many storefronts a dry run looks at.
const maxTouched = 1000

// Effect is what a kill switch would change.
type Effect struct {
	Storefronts  int        `json:"storefronts" example:"1" doc:"Storefronts whose events would go elsewhere; counting stops at 1000."`
	InFlight     int        `json:"in_flight" example:"12" doc:"Events in delivery whose next attempt the switch would stop: they go where routes says, or end skipped."`
	InFlightMore bool       `json:"in_flight_more" example:"false" doc:"Whether there are more: counting stops at 1000 events of a storefront, and at 100 storefronts."`
	Before       []RouteNow `json:"before" nullable:"false" doc:"Where the events of the storefronts concerned go as it is: the storefronts of routes, in their order."`
}

// dryRun returns the answer of a flip that is not made.
func (s flipper[T]) dryRun(ctx context.Context, id int64, set func(*T)) (*switchedOutput, error) {
	rec, err := s.items.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	v := rec.Value
	set(&v)
	storefront, platform := s.concerns(rec)
	found, err := s.admin.Audit.StorefrontSwitches(ctx, storefront, platform, maxTouched)
	if err != nil {
		return nil, err
	}
	out := Switched{ID: rec.ID, IsActive: *s.flag(&v), Changed: !reflect.DeepEqual(v, rec.Value), SwitchedBy: rec.SwitchChange.By,
		SwitchedAt: switchedAt(rec.SwitchChange.At), Routes: []RouteNow{}, RoutesOmitted: len(found) > maxRoutes, DryRun: true, Effect: &Effect{Before: []RouteNow{}}}
	stops := map[int64][]string{} // by storefront: destinations that would get its events no longer; nil is all
	var touched []int64
	for _, sw := range found {
		before := s.admin.routeNow(sw, "now")
		sw.Platforms = slices.Clone(sw.Platforms)
		s.apply(v, &sw)
		after := s.admin.routeNow(sw, "would")
		if len(out.Routes) < maxRoutes {
			out.Effect.Before, out.Routes = append(out.Effect.Before, before), append(out.Routes, after)
		}
		if slices.Equal(before.Destinations, after.Destinations) {
			continue
		}
		out.Effect.Storefronts++
		touched = append(touched, before.StorefrontID)
		stops[before.StorefrontID] = left(before.Destinations, after.Destinations)
	}
	return &switchedOutput{out}, s.admin.countStopped(ctx, touched, stops, out.Effect)
}

// left returns the destinations that are gone; nil where all of some are.
func left(before, after []string) []string {
	gone := slices.DeleteFunc(slices.Clone(before), func(d string) bool { return slices.Contains(after, d) })
	if len(before) > 0 && len(gone) == len(before) {
		return nil
	}
	return gone
}

// countStopped counts the events in delivery at destinations that would get them no longer.
func (a *Admin) countStopped(ctx context.Context, touched []int64, stops map[int64][]string, to *Effect) error {
	counted := touched[:min(len(touched), maxRoutes)]
	found, err := a.Audit.InFlight(ctx, counted)
	if err != nil {
		return err
	}
	to.InFlightMore = len(counted) < len(touched)
	for _, id := range counted {
		f := found[id]
		to.InFlightMore = to.InFlightMore || f.Events >= ops.WaitingBound
		if stops[id] == nil {
			to.InFlight += f.Events
		}
		for _, destination := range stops[id] {
			to.InFlight += f.At(destination)
		}
	}
	return nil
}

// setPlatform changes the switches of one platform.
func setPlatform(to *relay.Switches, code string, set func(*relay.PlatformSwitch)) {
	for i := range to.Platforms {
		if to.Platforms[i].Code == code {
			set(&to.Platforms[i])
		}
	}
}
