package api

import (
	"cmp"
	"context"
	"slices"

	"relay/internal/relay"
)

// burst holds the events of one batch that this process starts itself, without PollInbox: a few of each storefront.
type burst struct {
	starter Starter
	held    map[string]int // reserved and not yet started, by storefront code
}

// reserve marks as leased the first events of each storefront, as many as the starter takes. First is the order of their keys,
// in which rows are inserted: an event that starts before rows with lower ids would pass them at a limited destination.
func reserve(ctx context.Context, starter Starter, events []relay.NewEvent) *burst {
	wanted := map[string]int{}
	for _, e := range events {
		wanted[e.StorefrontCode]++
	}
	b := &burst{starter: starter, held: make(map[string]int, len(wanted))}
	left := make(map[string]int, len(wanted))
	for storefront, n := range wanted {
		got := min(n, max(0, starter.Reserve(ctx, storefront, n)))
		b.held[storefront], left[storefront] = got, got
	}
	for _, i := range byKey(events) {
		if left[events[i].StorefrontCode] > 0 {
			left[events[i].StorefrontCode]--
			events[i].Leased = true
		}
	}
	return b
}

// byKey returns the indexes of events in the order of their keys.
func byKey(events []relay.NewEvent) []int {
	order := make([]int, len(events))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(events[a].EventID, events[b].EventID), cmp.Compare(events[a].Type, events[b].Type))
	})
	return order
}

// start hands over the leased events that are new rows; stored has the results in the order of events.
func (b *burst) start(ctx context.Context, events []relay.NewEvent, stored []relay.InsertResult) {
	var starts []relay.PendingDelivery
	for i, e := range events {
		if !e.Leased || stored[i].Verdict != relay.Inserted {
			continue
		}
		b.held[e.StorefrontCode]--
		starts = append(starts, relay.PendingDelivery{
			ID: stored[i].ID, EventID: e.EventID, Type: e.Type, StorefrontCode: e.StorefrontCode, Source: relay.SourceAPI,
		})
	}
	if len(starts) > 0 {
		b.starter.Start(ctx, starts)
	}
}

// release returns the reservations that were not used.
func (b *burst) release() {
	for storefront, n := range b.held {
		if n > 0 {
			b.starter.Release(storefront, n)
		}
	}
}
