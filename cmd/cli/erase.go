package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/ops"
)

const erasuresPath = "/admin/v1/erasures"

func (s *surroundings) eraseCommand() *cobra.Command {
	var body api.ErasureIn
	var yes, detach bool
	c := s.writeCommand("erase", "Erase the data of an order or a person", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if (body.OrderID == "") == (body.ExternalID == "") {
			return usagef("set either --order or --external-id")
		}
		if r.json && !yes {
			return usagef("--json does not ask: set --yes")
		}
		if !yes {
			if err := r.confirm(c.Context(), "Erase it? This cannot be undone.", "erased"); err != nil {
				return err
			}
		}
		var v api.ErasureView
		if err := r.call(c.Context(), http.MethodPost, erasuresPath, nil, body, &v); err != nil {
			return err
		}
		if r.json {
			return cmp.Or(r.printJSON(v), foundNothing(v))
		}
		if err := r.printf("erasure %d\n", v.ID); err != nil || detach {
			return cmp.Or(err, foundNothing(v))
		}
		v, err := r.watchErasure(c.Context(), strconv.FormatInt(v.ID, 10))
		return cmp.Or(err, foundNothing(v))
	})
	c.Flags().StringVar(&body.OrderID, "order", "", "order id, or an event's own id")
	c.Flags().StringVar(&body.ExternalID, "external-id", "", "the shop's own id of a person")
	c.Flags().StringVar(&body.Storefront, "storefront", "", "only events of the storefront with this code")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&detach, "detach", false, "do not watch it")
	c.AddCommand(s.remoteCommand("watch ID", "Watch an erasure until it is done", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		_, err := r.watchErasure(c.Context(), args[0])
		return err
	}))
	return uses(c, "create-erasure")
}

// foundNothing is an error of an erasure that is done and had nothing to erase: perhaps the id was mistyped.
func foundNothing(v api.ErasureView) error {
	if v.State == ops.ErasureDone && v.Matched == 0 {
		return problem("nothing was erased: no event matches")
	}
	return nil
}

// watchErasure draws a bar until the erasure is done. It shows only numbers, not the subject of the erasure.
func (r *remote) watchErasure(ctx context.Context, id string) (api.ErasureView, error) {
	bar := Progress{Out: r.out, Label: "events scanned"}
	left := func(err error) error {
		bar.Done()
		return r.left(ctx, err, "The erasure continues; relay erase watch "+id+" shows it.\n")
	}
	for {
		var v api.ErasureView
		if err := r.call(ctx, http.MethodGet, erasuresPath+"/"+url.PathEscape(id), nil, nil, &v); err != nil {
			return v, left(err)
		}
		bar.Label = fmt.Sprintf("events scanned, %d of %d erased, %s", v.Erased, v.Matched, v.State)
		if r.json {
			if v.State == ops.ErasureDone {
				return v, r.printJSON(v)
			}
		} else {
			bar.Draw(v.Scanned, v.Total)
		}
		if v.State == ops.ErasureDone {
			bar.Done()
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, left(ctx.Err())
		case <-time.After(watchEvery):
		}
	}
}
