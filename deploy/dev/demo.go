package main

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"relay/db"
	"relay/db/seed"
	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/internal/ops"
	"relay/internal/relay"
)

// sample is the batch of the project's brief.
//
//go:embed sample.json
var sample []byte

// deliverBound bounds the delivery of the sample's three events, on a loaded machine.
const deliverBound = 2 * time.Minute

// showSample creates the demo storefronts, posts the sample batch, waits for its events and prints their status.
func showSample(ctx context.Context, system *harness.System, r *harness.Relay) error {
	orders, codes, err := sampleOrders()
	if err != nil {
		return err
	}
	if err := ensureStorefronts(ctx, system, codes); err != nil {
		return fmt.Errorf("demo storefronts: %w", err)
	}
	response, err := r.Post(ctx, sample)
	if err != nil {
		return fmt.Errorf("post the sample batch: %w", err)
	}
	if response.HTTPStatus != http.StatusAccepted {
		return fmt.Errorf("post the sample batch: status %d %s", response.HTTPStatus, response.Body)
	}
	events, err := waitDelivered(ctx, system.Store, orders)
	if err != nil {
		return err
	}
	showResponse(response)
	showEvents(events)
	return showRequests(ctx, system)
}

// sampleOrders returns the order ids and the storefronts of the sample.
func sampleOrders() (orders, codes []string, err error) {
	var batch struct {
		Data []struct {
			OrderID    string `json:"order_id"`
			Storefront string `json:"storefront_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(sample, &batch); err != nil {
		return nil, nil, err
	}
	for _, item := range batch.Data {
		orders, codes = append(orders, item.OrderID), append(codes, item.Storefront)
	}
	return orders, codes, nil
}

// ensureStorefronts creates the missing storefronts and keeps later changes to the others, except for the address of the
// sandbox, which may have moved to another port.
func ensureStorefronts(ctx context.Context, system *harness.System, codes []string) error {
	pool, err := demo.Open(system)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	for _, code := range codes {
		if err := ensureStorefront(ctx, system, pool, code); err != nil {
			return err
		}
	}
	return nil
}

func ensureStorefront(ctx context.Context, system *harness.System, pool *sql.DB, code string) error {
	id, err := seed.On(system.Store).CreateStorefront(ctx, relay.Storefront{Code: code, Name: strings.ToUpper(code[:1]) + code[1:], Active: true})
	if errors.Is(err, relay.ErrConflict) {
		err = pool.QueryRowContext(ctx, "SELECT id FROM storefronts WHERE storefront_id = ?", code).Scan(&id)
	}
	if err != nil {
		return err
	}
	var url string
	err = pool.QueryRowContext(ctx, "SELECT sgtm_url FROM storefront_sgtm_config WHERE storefront_id = ?", id).Scan(&url)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return seed.On(system.Store).PutSGTM(ctx, id, ops.SGTMConfig{
			URL:           system.Sandbox.BaseURL,
			MeasurementID: "G-" + strings.ToUpper(code),
			APISecret:     relay.NewSecret("api-secret-of-" + code),
			Active:        true,
		})
	case err == nil && url != system.Sandbox.BaseURL && strings.HasPrefix(url, "http://"+host+":"):
		_, err = pool.ExecContext(ctx, "UPDATE storefront_sgtm_config SET sgtm_url = ? WHERE storefront_id = ?", system.Sandbox.BaseURL, id)
	}
	return err
}

// waitDelivered waits until the events have ended, or deliverBound has passed, and returns them as they are.
func waitDelivered(ctx context.Context, store *db.Store, orders []string) ([]ops.EventDetail, error) {
	deadline := time.Now().Add(deliverBound)
	for {
		events, err := harness.Events(ctx, store, orders)
		if err != nil {
			return nil, err
		}
		if final(events, len(orders)) || time.Now().After(deadline) {
			return events, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func final(events []ops.EventDetail, want int) bool {
	for _, e := range events {
		if !e.Status.Final() {
			return false
		}
	}
	return len(events) >= want
}

// why returns the detail of an event, else its reason.
func why(e ops.EventDetail) string { return cmp.Or(e.Detail, string(e.Reason)) }
