package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"relay/db/seed"
	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// brio is the demo storefront without a container: its events are sent directly to the platforms.
const brio = "brio"

// failsTwice is the platform whose first two responses are errors.
const failsTwice = "tiktok"

// showFanOut posts a purchase with full consent, for a storefront with every option switched on, and prints
// its status at the platforms, one of which fails twice first.
func showFanOut(ctx context.Context, system *harness.System, r *harness.Relay) error {
	if err := ensureBrio(ctx, system); err != nil {
		return fmt.Errorf("demo storefront %s: %w", brio, err)
	}
	trouble := sandbox.Answer{Status: http.StatusServiceUnavailable}
	rule := sandbox.Rule{Path: vendors.Prefix + failsTwice, Answers: []sandbox.Answer{trouble, trouble}}
	if err := system.Sandbox.Answer(ctx, rule); err != nil {
		return err
	}
	order := fmt.Sprintf("brio-%d", time.Now().Unix())
	response, err := r.Post(ctx, purchase(order))
	if err != nil || response.HTTPStatus != http.StatusAccepted {
		return fmt.Errorf("post a purchase of %s: status %d: %w", brio, response.HTTPStatus, err)
	}
	events, err := waitDelivered(ctx, system.Store, []string{order})
	if err != nil {
		return err
	}
	say("\nA purchase at %s, which has no container, was sent directly to its platforms; %s responded 503 to the first two attempts:", brio, failsTwice)
	showEvents(events)
	return nil
}

func purchase(order string) []byte {
	event := map[string]any{
		"t-value": "brioaffiliate_7", "storefront_id": brio, "event_name": "purchase_completed", "order_id": order,
		"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79, "currency": "USD",
		"page_location": "https://brio.example/thanks?order=" + order, "session_id": "sess_brio",
		"email": "jane.doe@example.com", "phone": "+1 415 555 0132", "first_name": "Jane", "last_name": "Doe",
		"city": "San Francisco", "state": "California", "zip": "94107", "country": "US", "external_id": "cust_brio",
		"client_ip": "203.0.113.9", "user_agent": "Mozilla/5.0 (demo)", "consent": "granted",
	}
	maps.Copy(event, demo.ClickIDs())
	b, _ := json.Marshal(map[string]any{"count": 1, "data": []any{event}}) // cannot fail: plain values
	return b
}

// ensureBrio creates the storefront and its credentials, all switched on, and sets the platforms' address to the sandbox.
func ensureBrio(ctx context.Context, system *harness.System) error {
	id, err := seed.On(system.Store).CreateStorefront(ctx, relay.Storefront{Code: brio, Name: "Brio", Active: true, BaseURL: "https://brio.example"})
	if errors.Is(err, relay.ErrConflict) {
		var ids map[string]int64
		ids, err = system.Store.StorefrontIDs(ctx, []string{brio})
		id = ids[brio]
	}
	if err != nil {
		return err
	}
	if err := demo.UseSandbox(ctx, system); err != nil {
		return err
	}
	for _, platform := range vendors.Codes() {
		if err := seed.On(system.Store).PutCredential(ctx, id, demo.Account(system.Sandbox.BaseURL, platform)); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return nil
}
