package cmd

import (
	"cmp"
	"context"
	"errors"
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

func eraseCommand() *cobra.Command {
	var body api.ErasureIn
	var yes, detach bool
	c := writeCommand("erase", "Erase the data of an order or a person, through a relay's API", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if (body.OrderID == "") == (body.ExternalID == "") {
			return errors.New("set either --order or --external-id")
		}
		if r.json && !yes {
			return errors.New("--json does not ask: set --yes")
		}
		if !yes && !r.confirmed("Erase it? This cannot be undone.") {
			return errors.New("nothing was erased: it was not confirmed; --yes skips the question")
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
	c.AddCommand(remoteCommand("watch ID", "Watch an erasure until it is done", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		_, err := r.watchErasure(c.Context(), args[0])
		return err
	}))
	return c
}

// foundNothing is an error of an erasure that is done and had nothing to erase: perhaps the id was mistyped.
func foundNothing(v api.ErasureView) error {
	if v.State == ops.ErasureDone && v.Matched == 0 {
		return errors.New("nothing was erased: no event matches")
	}
	return nil
}

// watchErasure draws a bar until the erasure is done. It shows only numbers, not the subject of the erasure.
func (r *remote) watchErasure(ctx context.Context, id string) (api.ErasureView, error) {
	bar := progress{out: r.out, label: "events scanned"}
	for {
		var v api.ErasureView
		if err := r.call(ctx, http.MethodGet, erasuresPath+"/"+url.PathEscape(id), nil, nil, &v); err != nil {
			return v, err
		}
		bar.label = fmt.Sprintf("events scanned, %d of %d erased, %s", v.Erased, v.Matched, v.State)
		if r.json {
			if v.State == ops.ErasureDone {
				return v, r.printJSON(v)
			}
		} else {
			bar.draw(v.Scanned, v.Total)
		}
		if v.State == ops.ErasureDone {
			bar.done()
			return v, nil
		}
		select {
		case <-ctx.Done():
			bar.done()
			return v, r.printf("The erasure continues; relay erase watch %s shows it.\n", id)
		case <-time.After(watchEvery):
		}
	}
}
