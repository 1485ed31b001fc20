package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"relay"
	"relay/api"
)

const erasuresPath = "/admin/v1/erasures"

func eraseCommand() *cobra.Command {
	var wish api.ErasureIn
	var yes, detach bool
	c := remoteCommand("erase", "Erase what is stored of an order or a person, through a relay's API", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if (wish.OrderID == "") == (wish.ExternalID == "") {
			return errors.New("say either --order or --external-id")
		}
		if r.json && !yes {
			return errors.New("--json does not ask: say --yes")
		}
		if !yes && !r.confirmed("Erase it? This cannot be undone.") {
			return r.printf("Nothing was erased.\n")
		}
		var v api.ErasureView
		if err := r.call(c.Context(), http.MethodPost, erasuresPath, nil, wish, &v); err != nil {
			return err
		}
		if r.json {
			return r.printJSON(v)
		}
		if err := r.printf("erasure %d\n", v.ID); err != nil || detach {
			return err
		}
		return r.watchErasure(c.Context(), strconv.FormatInt(v.ID, 10))
	})
	c.Flags().StringVar(&wish.OrderID, "order", "", "order id, or an event's own id")
	c.Flags().StringVar(&wish.ExternalID, "external-id", "", "the shop's own id of a person")
	c.Flags().StringVar(&wish.Storefront, "storefront", "", "only events of the storefront with this code")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&detach, "detach", false, "do not watch it")
	c.AddCommand(remoteCommand("watch ID", "Watch an erasure until it is done", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		return r.watchErasure(c.Context(), args[0])
	}))
	return c
}

// watchErasure draws a bar until the erasure is done. It shows no more than a number: not whom it is about.
func (r *remote) watchErasure(ctx context.Context, id string) error {
	bar := progress{out: r.out, what: "events looked at"}
	for {
		var v api.ErasureView
		if err := r.call(ctx, http.MethodGet, erasuresPath+"/"+url.PathEscape(id), nil, nil, &v); err != nil {
			return err
		}
		bar.what = fmt.Sprintf("events looked at, %d of %d erased, %s", v.Erased, v.Matched, v.State)
		if r.json {
			if v.State == relay.ErasureDone {
				return r.printJSON(v)
			}
		} else {
			bar.draw(v.Scanned, v.Total)
		}
		if v.State == relay.ErasureDone {
			bar.done()
			return nil
		}
		select {
		case <-ctx.Done():
			bar.done()
			return r.printf("The erasure goes on; relay erase watch %s shows it.\n", id)
		case <-time.After(watchEvery):
		}
	}
}
