package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

// overview is everything that one asks about a storefront at 3 am.
type overview struct {
	At           time.Time              `json:"at"`
	Problems     []string               `json:"problems"`
	Storefront   api.Storefront         `json:"storefront"`
	Containers   []api.SGTMConfig       `json:"containers"`
	System       *api.SystemView        `json:"system,omitempty"`
	Destinations []api.DestinationView  `json:"destinations"`
	Backlog      api.OpenView           `json:"backlog"`
	Retries      []api.RetryBacklogView `json:"retries"`
	Hour         window                 `json:"hour"`
	Day          window                 `json:"day"`
	Failed       []api.EventView        `json:"newest_failed"`
	Checks       []api.CheckView        `json:"checks"`
	Replays      []api.ReplayView       `json:"replays"`
	Unread       []string               `json:"unread"`      // parts that could not be read, and why
	NotChecked   []string               `json:"not_checked"` // parts that this login may not read
	login        api.Me
}

// window is what was counted of a storefront from a time on.
type window struct {
	From time.Time `json:"from"`
	api.StorefrontStats
}

const newestFailed = 5

// overview prints all that concerns a storefront. A part that cannot be read does not hide the others.
func (r *remote) overview(c *cobra.Command, code string, f checkFlags) error {
	if f.sends() {
		return usagef("a test event needs a destination: relay check %s DESTINATION", code)
	}
	ctx := c.Context()
	o := overview{At: time.Now().UTC().Truncate(time.Second), Problems: []string{}, Unread: []string{}, NotChecked: []string{}}
	var storefronts struct{ Items []api.Storefront }
	if err := r.call(ctx, http.MethodGet, storefrontRef.path, url.Values{"storefront_id": {code}}, nil, &storefronts); err != nil {
		return err
	}
	if len(storefronts.Items) == 0 {
		return withCode(ExitNotFound, fmt.Errorf("there is no storefront %s", code))
	}
	o.Storefront = storefronts.Items[0]
	for _, part := range r.parts(&o) {
		if err := part.read(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			o.note(part.name, err)
		}
	}
	o.findProblems()
	err := r.printOverview(o)
	if r.json {
		err = r.printJSON(o)
	}
	switch {
	case err != nil:
		return err
	case len(o.Problems) > 0:
		return problem("%s has %s", code, counted(len(o.Problems), "problem"))
	case len(o.Unread) > 0:
		return withCode(ExitUnavailable, fmt.Errorf("%s could not be read", counted(len(o.Unread), "part")))
	}
	return nil
}

// note keeps why a part is missing. What a login may not read is no trouble of the relay: a check by it would always fail.
func (o *overview) note(part string, err error) {
	line := part + ": " + err.Error()
	if errors.Is(err, errNotAllowed) {
		o.NotChecked = append(o.NotChecked, line)
		return
	}
	o.Unread = append(o.Unread, line)
}

// errNotAllowed is the error of a part that needs more rights than the login has.
var errNotAllowed = errors.New("a login that may only read cannot check them")

func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// part is one thing to read.
type part struct {
	name string
	read func(context.Context) error
}

func (r *remote) parts(o *overview) []part {
	code := o.Storefront.StorefrontID
	get := func(path string, q url.Values, to any) func(context.Context) error {
		return func(ctx context.Context) error { return r.call(ctx, http.MethodGet, path, q, nil, to) }
	}
	return []part{
		{"system", get("/admin/v1/system", nil, &o.System)},
		{"containers", func(ctx context.Context) error {
			var list struct{ Items []api.SGTMConfig }
			err := r.call(ctx, http.MethodGet, containerRef.path, url.Values{"storefront_code": {code}}, nil, &list)
			o.Containers = list.Items
			return err
		}},
		{"destinations", func(ctx context.Context) error {
			list, err := r.destinations(ctx, url.Values{"storefront": {code}})
			o.Destinations = list.Items
			return err
		}},
		{"backlog", func(ctx context.Context) error { return r.storefrontBacklog(ctx, o) }},
		{"stats of the hour", func(ctx context.Context) error { return r.storefrontStats(ctx, code, o.At.Add(-time.Hour), &o.Hour) }},
		{"stats of the day", func(ctx context.Context) error { return r.storefrontStats(ctx, code, o.At.Add(-24*time.Hour), &o.Day) }},
		{"failed events", func(ctx context.Context) error {
			list, err := r.events(ctx, url.Values{"storefront": {code}, "status": {"failed"}, "from": {o.At.Add(-24 * time.Hour).Format(time.RFC3339)}}, newestFailed)
			o.Failed = list.Items
			return err
		}},
		{"replays", func(ctx context.Context) error {
			var list api.ReplayList
			err := r.call(ctx, http.MethodGet, replaysPath, url.Values{"state": {"running,paused"}}, nil, &list)
			o.Replays = slices.DeleteFunc(list.Items, func(v api.ReplayView) bool { return v.Filter.Storefront != "" && v.Filter.Storefront != code })
			return err
		}},
		{"login", get(mePath, nil, &o.login)},
		{"settings", func(ctx context.Context) error { return r.checks(ctx, o) }},
	}
}

func (r *remote) storefrontBacklog(ctx context.Context, o *overview) error {
	var v api.BacklogView
	if err := r.call(ctx, http.MethodGet, "/admin/v1/backlog", nil, nil, &v); err != nil {
		return err
	}
	for _, one := range v.Storefronts {
		if one.Storefront == o.Storefront.StorefrontID {
			o.Backlog = one
		}
	}
	o.Retries = slices.DeleteFunc(v.Retries, func(b api.RetryBacklogView) bool { return b.Storefront != o.Storefront.StorefrontID })
	return nil
}

func (r *remote) storefrontStats(ctx context.Context, code string, from time.Time, to *window) error {
	var v api.StatsView
	err := r.call(ctx, http.MethodGet, "/admin/v1/stats", url.Values{"storefront": {code}, "from": {from.Format(time.RFC3339)}}, nil, &v)
	to.From = v.From
	for _, one := range v.Storefronts {
		to.StorefrontStats = one
	}
	return err
}

// checks checks the settings of every destination, without sending anything. A login that may only read may not.
func (r *remote) checks(ctx context.Context, o *overview) error {
	if o.login.ReadOnly {
		return errNotAllowed
	}
	var failed []error
	for _, d := range o.Destinations {
		kind, args := credentialRef, []string{d.StorefrontCode, d.Destination}
		if d.Destination == relay.SGTM {
			kind, args = containerRef, args[:1]
		}
		id, err := kind.id(ctx, r, args)
		var v api.CheckView
		if err == nil {
			err = r.call(ctx, http.MethodPost, kind.path+"/"+id+"/check", nil, nil, &v)
		}
		switch ExitCode(err) {
		case ExitDone:
			o.Checks = append(o.Checks, v)
		case ExitConflict, ExitRefused: // its secret cannot be read, or it has no adapter
			o.Checks = append(o.Checks, api.CheckView{Storefront: d.StorefrontCode, Destination: d.Destination, Message: err.Error()})
		default:
			failed = append(failed, fmt.Errorf("%s: %w", d.Destination, err))
		}
	}
	return errors.Join(failed...)
}
