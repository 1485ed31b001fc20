// Command orders is OMS in Go: it sends a purchase and a bad item through a generated client, and asks until the purchase is
// delivered. It exits with 1 at the first unexpected response.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"relay/deploy/tests/oms/testdata/orders/relayclient"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := orders(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func login(_ context.Context, req *http.Request) error {
	req.SetBasicAuth(os.Getenv("BASIC_AUTH_USERNAME"), os.Getenv("BASIC_AUTH_PASSWORD"))
	return nil
}

func orders(ctx context.Context) error {
	c, err := relayclient.NewClientWithResponses(os.Getenv("RELAY_URL"), relayclient.WithRequestEditorFn(login))
	if err != nil {
		return err
	}
	order, revenue := os.Getenv("ORDER"), 80.79
	good := relayclient.EventItem{StorefrontId: os.Getenv("STOREFRONT"), EventName: "purchase_completed", OrderId: order,
		EventTime: time.Now().UTC().Format(time.RFC3339), OrderRevenue: &revenue}
	good.Set("session_id", "sess_456") // a field that the document does not name
	bad := good
	bad.StorefrontId = "none-such"
	if err := send(ctx, c, good, bad); err != nil {
		return err
	}
	refused, err := c.PostEventsWithResponse(ctx, relayclient.EventBatch{Data: []relayclient.EventItem{bad}})
	if err != nil {
		return err
	}
	if p := refused.ApplicationproblemJSON422; p == nil || p.Code != "no_acceptable_item" || p.Errors == nil || len(*p.Errors) != 1 {
		return fmt.Errorf("a batch without a good item: %s %s", refused.Status(), refused.Body)
	}
	return follow(ctx, c, order)
}

func send(ctx context.Context, c *relayclient.ClientWithResponses, items ...relayclient.EventItem) error {
	sent, err := c.PostEventsWithResponse(ctx, relayclient.EventBatch{Data: items})
	if err != nil {
		return err
	}
	r := sent.JSON202
	if r == nil || r.Accepted != 1 || r.Rejected != 1 || *r.Errors[0].Index != 1 || r.Errors[0].Code != "unknown_storefront" {
		return fmt.Errorf("send: %s %s", sent.Status(), sent.Body)
	}
	return nil
}

// follow asks for the order until its event has ended, and then for two orders at once.
func follow(ctx context.Context, c *relayclient.ClientWithResponses, order string) error {
	for status := relayclient.StatusViewStatus(""); status != relayclient.Delivered; {
		asked, err := c.GetStatusWithResponse(ctx, &relayclient.GetStatusParams{OrderId: order})
		if err != nil {
			return err
		}
		if asked.JSON200 == nil || len(asked.JSON200.Items) != 1 {
			return fmt.Errorf("ask: %s %s", asked.Status(), asked.Body)
		}
		if status = asked.JSON200.Items[0].Status; status == relayclient.Failed || status == relayclient.Skipped {
			return fmt.Errorf("the event is %s: %s", status, asked.Body)
		}
		select {
		case <-ctx.Done():
			return errors.New("the event is not delivered in time")
		case <-time.After(100 * time.Millisecond):
		}
	}
	two, err := c.ListStatusesWithResponse(ctx, relayclient.ListStatusesJSONRequestBody{Ids: []string{order, "never-sent"}})
	if err != nil {
		return err
	}
	if two.JSON200 == nil || len(two.JSON200.Items) != 1 || len(two.JSON200.Unknown) != 1 {
		return fmt.Errorf("ask for two: %s %s", two.Status(), two.Body)
	}
	return nil
}
