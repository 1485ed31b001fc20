package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"relay/internal/relay"
)

// ingest is POST /v1/events: good items are stored together, bad ones are reported, and only where none is acceptable is
// the batch refused.
func (s *server) ingest(c *gin.Context, l *requestLog) error {
	src, err := openBody(c.Request, s.cfg.MaxBodyBytes, s.bodies)
	if err != nil {
		return err
	}
	defer src.close()
	b, err := decode(src)
	l.add(slog.Int64("bytes", src.read))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), storeTimeout)
	defer cancel()
	if err := s.resolve(ctx, b); err != nil {
		return err
	}
	if err := s.store(ctx, b); err != nil {
		return err
	}
	sum := b.summary()
	l.add(slog.Int("accepted", sum.Accepted), slog.Int("duplicates", sum.Duplicates), slog.Int("rejected", sum.Rejected))
	s.count(b)
	if b.total > 0 && len(b.items) == 0 {
		f := refuse(codeNoAcceptableItem)
		f.batch = sum
		return f
	}
	write(c, http.StatusAccepted, "application/json", sum)
	return nil
}

// resolve sets each item's storefront id and rejects the items of unknown storefronts.
func (s *server) resolve(ctx context.Context, b *batch) error {
	seen := map[string]bool{}
	var codes []string
	for i := range b.items {
		if code := b.items[i].event.StorefrontCode; !seen[code] {
			seen[code] = true
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	ids, err := s.deps.Inbox.StorefrontIDs(ctx, codes)
	if err != nil {
		return fmt.Errorf("resolve %d storefronts: %w", len(codes), err)
	}
	b.rejectWhere(fieldStorefront.name(), codeUnknownStorefront, func(it item) string {
		if _, ok := ids[it.event.StorefrontCode]; ok {
			return ""
		}
		return codeUnknownStorefront.message()
	})
	for i := range b.items {
		b.items[i].event.StorefrontID = ids[b.items[i].event.StorefrontCode]
	}
	return nil
}

// store keeps the items and starts some of them, and rejects those whose id belongs to another event or is
// being inserted by another writer.
func (s *server) store(ctx context.Context, b *batch) error {
	if len(b.items) == 0 {
		return nil
	}
	events := make([]relay.NewEvent, len(b.items))
	for i := range b.items {
		events[i] = b.items[i].event
	}
	burst := reserve(ctx, s.deps.Starter, events)
	defer burst.release()
	stored, err := s.deps.Inbox.InsertEvents(ctx, events, s.cfg.Lease)
	if err != nil {
		return fmt.Errorf("store %d events: %w", len(events), err)
	}
	if len(stored) != len(events) {
		return fmt.Errorf("store %d events: %d results", len(events), len(stored))
	}
	burst.start(ctx, events, stored)
	for i := range b.items {
		b.items[i].stored = stored[i]
	}
	b.rejectWhere("event_id", codeConflict, func(it item) string {
		if it.stored.Verdict != relay.Conflict {
			return ""
		}
		return conflictText(it.stored)
	})
	before := len(b.items)
	b.rejectWhere("event_id", codeBusy, func(it item) string {
		if it.stored.Verdict != relay.Busy {
			return ""
		}
		return busyItem
	})
	if before > 0 && len(b.items) == 0 { // 422 would say that nothing can ever be accepted
		return fmt.Errorf("store %d events: all are busy: %w", before, relay.ErrUnavailable)
	}
	return nil
}

// busyItem is the text of an item whose row another writer is inserting.
const busyItem = "a transaction that is still open inserts this event; the item was not stored: send it again"

// conflictText explains why an id is in use, and how the sender can resolve it. Of another storefront's event it says only that
// there is one.
func conflictText(s relay.InsertResult) string {
	const own = "an event_id of its own"
	if s.Foreign {
		return "an event of another storefront has this event_id and event_name, which no two storefronts may share: this event needs " + own
	}
	return "another event with this event_id and event_name is stored, with status " + string(s.Status) +
		"; a refund, renewal, cancellation or correction of an order needs " + own
}
