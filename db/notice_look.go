package db

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// leastFailures make a share of failures worth a notice: a storefront with three events a day has none.
const leastFailures = 5

// noticeable reads the present state, as far as notices report it. Its cost does not depend on the number of events, and nothing
// of a delivery waits for it.
func (s *Store) noticeable(ctx context.Context, rules ops.NoticeRules) (ops.NoticeObservation, error) {
	l := look{Store: s, rules: rules, seen: ops.NoticeObservation{Active: map[ops.NoticeKind][]ops.NoticeSubject{}}}
	for _, step := range []func(context.Context) error{l.readCodes, l.readUnhealthy, l.readWaiting, l.readStats} {
		if err := step(ctx); err != nil {
			return l.seen, err
		}
	}
	var err error
	_, l.seen.Repaired, err = s.Reconciliation(ctx)
	return l.seen, err
}

// look is one look in progress.
type look struct {
	*Store
	rules ops.NoticeRules
	seen  ops.NoticeObservation
	codes map[int64]string // of the storefronts, by id
	// covered are destinations that are or were unhealthy lately, whose failures another notice reports.
	covered map[relay.Place]bool
	from    time.Time // of the counts
}

func (l *look) readCodes(ctx context.Context) error {
	if err := l.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&l.seen.At); err != nil {
		return err
	}
	l.from = l.seen.At.Truncate(time.Hour).Add(-time.Hour)
	var err error
	l.codes, err = l.storefrontCodes(ctx)
	return err
}

// readUnhealthy reads the destinations that are unhealthy.
func (l *look) readUnhealthy(ctx context.Context) error {
	l.covered = map[relay.Place]bool{}
	l.seen.Active[ops.NoticeUnhealthy], l.seen.Active[ops.NoticeCredential] = nil, nil
	rows, err := l.sql.QueryContext(ctx, `SELECT storefront_id, destination, unhealthy_since, COALESCE(reason, ''), COALESCE(last_status, 0)
		FROM destination_health WHERE unhealthy_since IS NOT NULL OR recovered_at >= ?`, l.from)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var place relay.Place
		var since sql.NullTime
		var subject ops.NoticeSubject
		if err := rows.Scan(&place.StorefrontID, &place.Destination, &since, &subject.Reason, &subject.Status); err != nil {
			return err
		}
		l.covered[place] = true
		code, known := l.codes[place.StorefrontID]
		if !since.Valid || !known {
			continue
		}
		kind := ops.NoticeUnhealthy
		if subject.Reason == relay.ReasonUnauthorized {
			kind = ops.NoticeCredential
		}
		subject.Storefront, subject.Destination, subject.Since = code, place.Destination, since.Time
		l.seen.Active[kind] = append(l.seen.Active[kind], subject)
	}
	return rows.Err()
}

// readWaiting finds the storefronts with an event that has waited too long.
func (l *look) readWaiting(ctx context.Context) error {
	if l.rules.OldestPending == 0 {
		return nil
	}
	l.seen.Active[ops.NoticeWaiting] = nil
	old := map[int64]ops.NoticeSubject{}
	for _, read := range []func(context.Context, map[int64]ops.NoticeSubject) error{l.addPending, l.addHeld} {
		if err := read(ctx, old); err != nil {
			return err
		}
	}
	for _, subject := range old {
		l.seen.Active[ops.NoticeWaiting] = append(l.seen.Active[ops.NoticeWaiting], subject)
	}
	return nil
}

// addPending adds the storefronts whose oldest pending event is too old, unless it waits for a limit of its destination.
func (l *look) addPending(ctx context.Context, old map[int64]ops.NoticeSubject) error {
	limits, err := l.Limits(ctx)
	if err != nil {
		return err
	}
	err = eachStorefront(ctx, l.Store, oldestOfAll, nil, func(storefront int64, since time.Time) {
		if l.seen.At.Sub(since) > l.rules.OldestPending {
			old[storefront] = ops.NoticeSubject{Storefront: l.codes[storefront], Since: since}
		}
	})
	if err != nil {
		return err
	}
	o := observing{Store: l.Store}
	for storefront := range old {
		limited, err := o.usesUp(ctx, limits, storefront)
		if err != nil {
			return err
		}
		if limited {
			delete(old, storefront)
		}
	}
	return nil
}

// addHeld adds the storefronts with an event in delivery that is too old and waits for something that does not come by itself.
// Their pending events wait behind it.
func (l *look) addHeld(ctx context.Context, old map[int64]ops.NoticeSubject) error {
	ids, err := l.openStorefronts(ctx, relay.StatusProcessing)
	if err != nil {
		return err
	}
	for _, id := range ids {
		events, err := l.held(ctx, id)
		if err != nil {
			return err
		}
		for _, h := range events {
			subject, there := old[id]
			if l.codes[id] == "" || h.age <= l.rules.OldestPending || there && subject.Reason != "" && subject.Since.Before(h.since) {
				continue
			}
			if !there || h.since.Before(subject.Since) {
				subject.Since = h.since
			}
			subject.Storefront, subject.Reason = l.codes[id], heldReasons[h.waitsFor]
			old[id] = subject
		}
	}
	return nil
}

// heldReasons are what an event in delivery waits for, as the attempts have it.
var heldReasons = map[relay.WaitsFor]relay.Reason{
	relay.WaitsForCredential: relay.ReasonCredentialUnreadable,
	relay.WaitsForDatabase:   relay.ReasonDatabaseUnavailable,
}

// ownFailures end an event before it has a destination.
var ownFailures = []relay.Reason{relay.ReasonInvalidPayload, relay.ReasonMissingEventType, relay.ReasonMissingEventID, relay.ReasonStorefrontMismatch}

// readStats reads the deliveries that ended of the events received lately, as RollUp has counted them.
func (l *look) readStats(ctx context.Context) error {
	rows, err := l.sql.QueryContext(ctx, `SELECT storefront_id, destination, outcome, reason, SUM(n) FROM event_stats
		WHERE hour >= ? AND outcome IN ('delivered', 'failed') GROUP BY storefront_id, destination, outcome, reason`, l.from)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	tally := failureTally{}
	for rows.Next() {
		var place relay.Place
		var outcome relay.Status
		var reason relay.Reason
		var n int64
		if err := rows.Scan(&place.StorefrontID, &place.Destination, &outcome, &reason, &n); err != nil {
			return err
		}
		own := place.Destination == "" && slices.Contains(ownFailures, reason)
		switch {
		case place.Destination == "" && reason == relay.ReasonUnknownStorefront:
			tally.unknown += n
		case place.Destination == "" && !own, l.covered[place], reason == relay.ReasonCancelled, reason == relay.ReasonUnhealthy:
		default:
			tally.add(place, outcome, reason, n)
		}
	}
	l.addFailures(tally)
	return rows.Err()
}

func (l *look) addFailures(tally failureTally) {
	l.seen.Active[ops.NoticeUnknown] = nil
	if tally.unknown > 0 {
		l.seen.Active[ops.NoticeUnknown] = []ops.NoticeSubject{{Rows: tally.unknown}}
	}
	if l.rules.FailureShare == 0 {
		return
	}
	l.seen.Active[ops.NoticeFailing] = nil
	for storefront, t := range tally.by {
		code, known := l.codes[storefront]
		if known && t.failed >= leastFailures && float64(t.failed) > l.rules.FailureShare*float64(t.ended) {
			l.seen.Active[ops.NoticeFailing] = append(l.seen.Active[ops.NoticeFailing], ops.NoticeSubject{Storefront: code, Destination: t.worst.Destination,
				Reason: t.reason, Failed: t.failed, Ended: t.ended})
		}
	}
}

// failureTally counts by storefront. unknown counts rows without one.
type failureTally struct {
	by      map[int64]*storefrontTally
	unknown int64
}

// storefrontTally has the place and the reason of the most failures.
type storefrontTally struct {
	failed, ended, most int64
	worst               relay.Place
	reason              relay.Reason
}

func (t *failureTally) add(place relay.Place, outcome relay.Status, reason relay.Reason, n int64) {
	if t.by == nil {
		t.by = map[int64]*storefrontTally{}
	}
	s := t.by[place.StorefrontID]
	if s == nil {
		s = &storefrontTally{}
		t.by[place.StorefrontID] = s
	}
	s.ended += n
	if outcome != relay.StatusFailed {
		return
	}
	if s.failed += n; n > s.most {
		s.most, s.worst, s.reason = n, place, reason
	}
}

// noticeDay reads the counts of the events received in the last 24 hours, of the storefronts that have any.
func (s *Store) noticeDay(ctx context.Context) ([]ops.NoticeSubject, error) {
	o := &observing{Store: s}
	var err error
	if o.codes, err = s.storefrontCodes(ctx); err != nil {
		return nil, err
	}
	if err := o.readStats(ctx); err != nil {
		return nil, err
	}
	by := map[string]*ops.NoticeCounts{}
	for _, f := range o.seen.Stats {
		c := by[f.Storefront]
		if c == nil {
			c = &ops.NoticeCounts{}
			by[f.Storefront] = c
		}
		for outcome, n := range map[string]*int64{ops.StatReceived: &c.Received, ops.StatOpen: &c.Open, string(relay.StatusDelivered): &c.Delivered,
			string(relay.StatusFailed): &c.Failed, string(relay.StatusSkipped): &c.Skipped} {
			if f.Outcome == outcome {
				*n += f.N
			}
		}
	}
	var list []ops.NoticeSubject
	for code, c := range by {
		list = append(list, ops.NoticeSubject{Storefront: code, Events: c})
	}
	return list, nil
}
