package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

// Bounds of one statement: the server limits the size of a packet (16 MiB by default), and its optimizer the memory for the
// ranges of a key.
const (
	maxRows  = 1000
	maxBytes = 1 << 20
	// duplicateAttempts bounds how often a batch is restarted because another writer committed one of its events between the
	// lookup and the insert. Each attempt sees more of them, so this ends.
	duplicateAttempts = 10
	// lockAttempts bounds how often a batch waits for a lock that no uncommitted row explains, such as a gap lock.
	lockAttempts = 2
)

// eventKey is the unique key of an event. The columns' collation ignores trailing spaces, so the key does too.
type eventKey struct{ id, kind string }

func keyOf(id, kind string) eventKey {
	return eventKey{strings.TrimRight(id, " "), strings.TrimRight(kind, " ")}
}

func (k eventKey) compare(o eventKey) int {
	if c := strings.Compare(k.id, o.id); c != 0 {
		return c
	}
	return strings.Compare(k.kind, o.kind)
}

// holder is the row that holds an event, from any source.
type holder struct {
	id             int64
	storefrontID   int64
	storefrontCode string
	status         relay.Status
	digest         [sha256.Size]byte
	erased         bool // its payload is gone
}

// holds reports whether the row holds e itself, not a conflicting event.
func (h holder) holds(e relay.NewEvent) bool {
	return h.sharesStorefront(e) && (h.digest == e.Digest || h.erased)
}

// sharesStorefront reports whether the row and e belong to one storefront.
func (h holder) sharesStorefront(e relay.NewEvent) bool {
	if h.storefrontID == 0 { // a direct row that names its storefront by code
		return strings.TrimSpace(h.storefrontCode) == e.StorefrontCode
	}
	return h.storefrontID == e.StorefrontID
}

// InsertEvents stores events in the inbox, in one transaction, and returns for each, in their order, which row holds it now.
// An event that is stored already, or occurs twice in the batch, makes no second row: it is a duplicate, or a conflict if
// storefront or payload differ. An event that an open transaction is inserting is busy: the others are stored without it.
// Leased events are hidden from Claim for the time of the lease.
func (s *Store) InsertEvents(ctx context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.InsertResult, error) {
	if len(events) == 0 {
		return nil, nil
	}
	b := newBatch(events, min(lease, longestLease))
	met := func(err error) bool {
		return isNumber(err, errDuplicate, errLockTimeout) || errors.Is(err, errErasedTwin)
	}
	look, waits := false, 0
	err := retry(ctx, duplicateAttempts, met, func() error {
		err := s.txWhere(ctx, isDeadlock, func(tx *sql.Tx) error { return b.store(ctx, tx, look) })
		look = true
		if !isNumber(err, errLockTimeout) {
			return err
		}
		waits++
		found, trouble := s.findBusy(ctx, b)
		if trouble != nil || !found && waits >= lockAttempts {
			return errors.Join(relay.ErrUnavailable, trouble)
		}
		return err
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("insert %d events", len(events)), err)
	}
	return b.results(), nil
}

// findBusy marks the keys of a batch that have an uncommitted row, or one committed a moment ago: the next attempt sees
// that. It reports whether there are any that were not known.
func (s *Store) findBusy(ctx context.Context, b *batch) (bool, error) {
	tx, err := s.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadUncommitted, ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	there := map[eventKey]holder{}
	if err := b.findInto(ctx, tx, b.order, there); err != nil {
		return false, err
	}
	found := false
	for key := range there {
		if !b.busy[key] {
			b.busy[key], found = true, true
		}
	}
	return found, nil
}

// batch is a batch that is being stored. order holds the index of each event's first occurrence, sorted by key: writers that
// take their locks in the same order do not deadlock.
type batch struct {
	events []relay.NewEvent
	keys   []eventKey
	order  []int
	lease  time.Duration

	holders  map[eventKey]holder
	inserted map[int]bool // indexes of inserted events
	busy     map[eventKey]bool
}

func newBatch(events []relay.NewEvent, lease time.Duration) *batch {
	b := &batch{events: events, keys: make([]eventKey, len(events)), lease: lease, busy: map[eventKey]bool{}}
	seen := make(map[eventKey]bool, len(events))
	for i, e := range events {
		b.keys[i] = keyOf(e.EventID, e.Type)
		if !seen[b.keys[i]] {
			seen[b.keys[i]] = true
			b.order = append(b.order, i)
		}
	}
	slices.SortFunc(b.order, func(x, y int) int { return b.keys[x].compare(b.keys[y]) })
	return b
}

// store looks up existing events and inserts the others. Most events of a batch are new, so the lookup, a third of all the
// work, is skipped until the INSERT has met a duplicate. Then the transaction is rolled back and restarted: a lookup within
// the same transaction deadlocks, and INSERT IGNORE hides truncated and dropped values.
func (b *batch) store(ctx context.Context, tx *sql.Tx, look bool) error {
	b.holders = make(map[eventKey]holder, len(b.order))
	b.inserted = make(map[int]bool, len(b.order))
	if look {
		if err := b.find(ctx, tx, b.order); err != nil {
			return err
		}
		if err := b.findErased(ctx, tx, b.order); err != nil {
			return err
		}
	}
	missing := slices.DeleteFunc(slices.Clone(b.order), func(i int) bool {
		_, ok := b.holders[b.keys[i]]
		return ok || b.busy[b.keys[i]]
	})
	for _, chunk := range b.chunks(missing) {
		if err := b.insert(ctx, tx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// chunks splits indexes into statements.
func (b *batch) chunks(indexes []int) [][]int {
	var chunks [][]int
	start, size := 0, 0
	for n, i := range indexes {
		bytes := len(b.events[i].Payload)
		if n > start && (n-start == maxRows || size+bytes > maxBytes) {
			chunks = append(chunks, indexes[start:n])
			start, size = n, 0
		}
		size += bytes
	}
	if start < len(indexes) {
		chunks = append(chunks, indexes[start:])
	}
	return chunks
}

// results returns the verdicts, once the rows are stored.
func (b *batch) results() []relay.InsertResult {
	stored := make([]relay.InsertResult, len(b.events))
	for i, e := range b.events {
		h, held := b.holders[b.keys[i]]
		stored[i] = relay.InsertResult{ID: h.id, Status: h.status, Verdict: relay.Conflict}
		switch {
		case b.inserted[i]:
			stored[i].Verdict = relay.Inserted
		case !held && b.busy[b.keys[i]]:
			stored[i].Verdict = relay.Busy
		case h.holds(e):
			stored[i].Verdict = relay.Duplicate
		default:
			stored[i].Foreign = !h.sharesStorefront(e)
		}
	}
	return stored
}
