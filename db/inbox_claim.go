package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

// ClaimOptions bound one round of claiming.
type ClaimOptions struct {
	Page  int           // maximum rows of one storefront
	Cap   int           // maximum rows of one storefront in flight; 0 is no cap
	Lease time.Duration // no other process claims the rows for this long; at most longestLease
	// Shard selects one of Shards parts of the storefronts; 0 of 0 is all of them.
	Shard, Shards int
	// Room returns how many rows of a storefront may be in flight under the limits of one of its destinations; nil is no
	// cap.
	Room func(storefront int64, destination string, l relay.Limits) int
}

// cap returns how many rows of a storefront may be in flight, including the limits of its destinations; 0 is no cap.
func (o ClaimOptions) cap(storefront int64, limits map[int64]Limited) int {
	n := o.Cap
	for destination, l := range limits[storefront].Destinations {
		if room := o.Room(storefront, destination, l); n == 0 || room < n {
			n = max(1, room)
		}
	}
	return n
}

// claimPages bounds the pages of undeliverable rows that one round removes per storefront, so that other storefronts are not
// delayed.
const claimPages = 20

// Claim leases pending rows to the caller, who starts their deliveries. One round is fair: it takes at most a page of the
// oldest rows of each storefront, and interleaves the pages. Undeliverable rows become failed, with a reason, and delay no
// other row. An expired lease is claimed again. The cost depends on the number of claimed rows and of storefronts with
// pending rows, not on the size of the table.
//
// An error of one storefront does not delay the others: the claimed rows are returned beside the error.
func (s *Store) Claim(ctx context.Context, o ClaimOptions) ([]relay.PendingDelivery, error) {
	var trouble error
	if o.Shard == 0 {
		trouble = wrap("resolve storefront codes", s.resolveCodes(ctx))
	}
	var limits map[int64]Limited
	if o.Room != nil {
		var err error
		if limits, err = s.Limits(ctx); err != nil {
			return nil, errors.Join(trouble, err)
		}
	}
	var pages [][]relay.PendingDelivery
	for id := int64(math.MinInt32) - 1; ; {
		next, ok, err := s.nextPending(ctx, id)
		if err != nil {
			trouble = errors.Join(trouble, wrap("find pending events", err))
		}
		if !ok {
			return interleave(pages), trouble
		}
		id = next
		if !o.mine(id) {
			continue
		}
		own := o
		own.Cap = o.cap(id, limits)
		page, err := s.claimStorefront(ctx, id, own)
		if err != nil {
			trouble = errors.Join(trouble, wrap(fmt.Sprintf("claim events of storefront %d", id), err))
		}
		pages = append(pages, page)
	}
}

// nextPendingSQL finds the lowest storefront above id with pending rows in one step of the claim key, past all rows of the
// storefronts before.
const nextPendingSQL = `SELECT storefront_id FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = 'pending' AND storefront_id > ? ORDER BY storefront_id LIMIT 1`

func (s *Store) nextPending(ctx context.Context, id int64) (int64, bool, error) {
	err := s.sql.QueryRowContext(ctx, nextPendingSQL, id).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, err
}

// claimStorefront claims up to a page of one storefront's rows, within its cap.
func (s *Store) claimStorefront(ctx context.Context, id int64, o ClaimOptions) ([]relay.PendingDelivery, error) {
	room := o.Page
	if o.Cap > 0 {
		busy, err := s.inFlight(ctx, id, o.Cap)
		if err != nil {
			return nil, err
		}
		room = min(room, o.Cap-busy)
		if busy > 0 && room < min(o.Page, o.Cap)/8 {
			room = 0 // a round for a few rows costs as much as one for a page
		}
	}
	var code string
	err := s.sql.QueryRowContext(ctx, "SELECT storefront_id FROM storefronts WHERE id = ?", id).Scan(&code)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	c := claim{storefront: id, code: code, known: err == nil, lease: min(o.Lease, longestLease)}
	if !c.known {
		room = max(room, o.Page) // none of its rows is in flight
	}
	for range claimPages {
		if room <= len(c.starts) {
			break
		}
		more, before := false, c.starts
		err := retry(ctx, duplicateAttempts, isTwin, func() error {
			return s.tx(ctx, func(tx *sql.Tx) (err error) {
				c.starts = before // a repeated transaction has claimed nothing
				more, err = c.page(ctx, tx, room-len(c.starts))
				return err
			})
		})
		if err != nil {
			return before, err
		}
		if !more {
			break
		}
	}
	return c.starts, nil
}

// inFlightColumn counts a storefront's rows under a lease, started or about to start, up to a limit.
const inFlightColumn = `
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'pending' AND storefront_id = ? AND ` + leasedSQL + ` LIMIT ?) p) +
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' AND storefront_id = ? AND ` + leasedSQL + ` LIMIT ?) r)`

const inFlightSQL = "SELECT" + inFlightColumn

func (s *Store) inFlight(ctx context.Context, id int64, limit int) (int, error) {
	var n int
	err := s.sql.QueryRowContext(ctx, inFlightSQL, id, limit, id, limit).Scan(&n)
	return n, err
}

// interleave merges pages in turn, so that the first starts are of different storefronts.
func interleave(pages [][]relay.PendingDelivery) []relay.PendingDelivery {
	var starts []relay.PendingDelivery
	for n := 0; ; n++ {
		before := len(starts)
		for _, page := range pages {
			if n < len(page) {
				starts = append(starts, page[n])
			}
		}
		if len(starts) == before {
			return starts
		}
	}
}

// claim claims the rows of one storefront.
type claim struct {
	storefront int64
	code       string
	known      bool // the storefront exists
	lease      time.Duration
	starts     []relay.PendingDelivery
	direct     []directRow // among the page's rows
}

// claimSQL takes rows in the order of the claim key: by the time from which they are free, which is the time of their insert
// or the end of a lease. A row whose start was lost therefore waits behind the rows that were there before, and ahead of all
// later ones. Rows that another claimer has locked are skipped, as are uncommitted inserts: a later round finds them.
const claimSQL = `SELECT id, event_id, event_type, storefront_code, source_system,
	CASE WHEN payload_digest IS NULL THEN event_payload END, erased_at IS NOT NULL
	FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = 'pending' AND storefront_id = ? AND ` + freeSQL + `
	ORDER BY claimed_until, id LIMIT ? FOR UPDATE SKIP LOCKED`

// page claims up to n rows and reports whether there may be more.
func (c *claim) page(ctx context.Context, tx *sql.Tx, n int) (bool, error) {
	rows, err := tx.QueryContext(ctx, claimSQL, c.storefront, n)
	if err != nil {
		return false, err
	}
	starts, bad, err := c.read(rows)
	if err != nil {
		return false, err
	}
	more := len(starts)+len(bad) == n
	refused, err := refuseErased(ctx, tx, c.direct)
	if err != nil {
		return false, err
	}
	starts = slices.DeleteFunc(starts, func(s relay.PendingDelivery) bool { return refused[s.ID] })
	bad = slices.DeleteFunc(bad, func(f failure) bool { return refused[f.id] })
	twins, err := c.findTwins(ctx, tx, starts, bad)
	if err != nil {
		return false, err
	}
	starts = slices.DeleteFunc(starts, func(s relay.PendingDelivery) bool {
		twin, ok := twins.preceding[s.ID]
		if ok {
			bad = append(bad, failure{s.ID, relay.ReasonDuplicate, fmt.Sprintf("row %d holds this event", twin)})
		}
		return ok
	})
	if err := failRows(ctx, tx, bad); err != nil {
		return false, err
	}
	if err := c.rename(ctx, tx, starts, twins.named); err != nil {
		return false, err
	}
	if err := c.leaseRows(ctx, tx, starts); err != nil {
		return false, err
	}
	c.starts = append(c.starts, starts...)
	return more, nil
}

func (c *claim) read(rows *sql.Rows) ([]relay.PendingDelivery, []failure, error) {
	defer func() { _ = rows.Close() }()
	c.direct = nil
	var starts []relay.PendingDelivery
	var bad []failure
	for rows.Next() {
		var start relay.PendingDelivery
		var code sql.NullString
		var payload sql.RawBytes
		var erased bool
		if err := rows.Scan(&start.ID, &start.EventID, &start.Type, &code, &start.Source, &payload, &erased); err != nil {
			return nil, nil, err
		}
		if payload != nil {
			c.direct = append(c.direct, newDirectRow(start.ID, start.EventID, start.Type, erased))
			start.EventID = strings.TrimSpace(start.EventID)
		}
		start.Type = relay.FoldType(start.Type)
		if f, ok := c.judge(start, code.String, payload); !ok {
			bad = append(bad, f)
			continue
		}
		start.StorefrontCode = c.code
		starts = append(starts, start)
	}
	return starts, bad, rows.Err()
}

// judge returns the reason why a row can never be delivered. payload is nil for rows that the API has checked.
func (c *claim) judge(start relay.PendingDelivery, code string, payload []byte) (failure, bool) {
	f := failure{id: start.ID}
	code = strings.TrimSpace(code)
	switch {
	case !c.known:
		f.reason, f.detail = relay.ReasonUnknownStorefront, fmt.Sprintf("no storefront has the id %d", c.storefront)
	case code != "" && code != c.code:
		f.reason = relay.ReasonStorefrontMismatch
		f.detail = fmt.Sprintf("storefront_id %d is %q, storefront_code is %q", c.storefront, c.code, code)
	case strings.TrimSpace(start.EventID) == "":
		f.reason = relay.ReasonMissingEventID
	case strings.TrimSpace(start.Type) == "":
		f.reason = relay.ReasonMissingEventType
	case payload != nil:
		f.reason, f.detail = checkPayload(payload)
	}
	f.detail = cmp.Or(f.detail, f.reason.Text())
	return f, f.reason == ""
}

// leaseRows writes the lease, and the code into rows that have only the id.
func (c *claim) leaseRows(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery) error {
	for chunk := range slices.Chunk(starts, maxRows) {
		args := []any{c.lease.Microseconds(), c.code}
		for _, start := range chunk {
			args = append(args, start.ID)
		}
		_, err := tx.ExecContext(ctx, `UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND,
			storefront_code = COALESCE(NULLIF(storefront_code, ''), ?), updated_at = UTC_TIMESTAMP(6)
			WHERE id IN (`+tuples("?", len(chunk))+")", args...)
		if err != nil {
			return err
		}
	}
	return nil
}
