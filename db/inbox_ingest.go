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

// Bounds of one statement: the server limits the size of a packet (16 MiB by default), its optimizer the memory for one
// range of keys.
const (
	maxRows  = 1000
	maxBytes = 1 << 20
	// duplicateTries is how often a batch begins anew because another writer committed one of its events between the look
	// and the insert. Each time it sees more of them, so it ends.
	duplicateTries = 10
	// lockTries is how often a batch waits for a lock that no uncommitted row explains, as that of a gap.
	lockTries = 2
)

// eventKey is what makes an event unique. The columns' collation ignores trailing spaces, so the key does too.
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

// holder is the row that holds an event, wherever it came from.
type holder struct {
	id             int64
	storefrontID   int64
	storefrontCode string
	status         relay.Status
	digest         [sha256.Size]byte
	erased         bool // whatever it held is gone
}

// holds reports whether e is the event that the row holds.
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

// InsertEvents puts events into the inbox, in one transaction, and says for each (the i-th answer is the i-th event's)
// which row holds it now. An event that is there already, or twice in the batch, makes no second row: it is a duplicate,
// or a conflict where storefront or payload differ. One that a transaction which stays open is inserting is busy: the others
// are stored without it. Leased events are kept from Claim for the time of the lease.
func (s *Store) InsertEvents(ctx context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.InsertResult, error) {
	if len(events) == 0 {
		return nil, nil
	}
	b := newBatch(events, min(lease, longestLease))
	met := func(err error) bool {
		return isNumber(err, errDuplicate, errLockTimeout) || errors.Is(err, errErasedTwin)
	}
	look, waits := false, 0
	err := again(ctx, duplicateTries, met, func() error {
		err := s.txWhere(ctx, isDeadlock, func(tx *sql.Tx) error { return b.store(ctx, tx, look) })
		look = true
		if !isNumber(err, errLockTimeout) {
			return err
		}
		waits++
		found, trouble := s.findBusy(ctx, b)
		if trouble != nil || !found && waits >= lockTries {
			return errors.Join(relay.ErrUnavailable, trouble)
		}
		return err
	})
	if err != nil {
		return nil, fail(fmt.Sprintf("insert %d events", len(events)), err)
	}
	return b.answers(), nil
}

// findBusy marks the keys of a batch that have a row which is not committed, or was committed a moment ago: that is seen
// when the batch begins anew. It reports whether there are any that it did not know.
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

// batch is a batch on its way in. order holds the index of each event's first appearance, sorted by key, because writers
// that take their locks in one order do not deadlock.
type batch struct {
	events []relay.NewEvent
	keys   []eventKey
	order  []int
	lease  time.Duration

	holders  map[eventKey]holder
	inserted map[int]bool // indexes whose event made a row
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

// store looks which events are there and inserts the others. A batch is mostly new, so the look, a third of all the work, is
// left out until the INSERT has met a duplicate: then the transaction is rolled back and begun anew, because falling back
// within it deadlocks, and INSERT IGNORE hides what it cuts and drops.
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

// chunks cuts indexes into statements.
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

// answers are the verdicts, once the rows are stored.
func (b *batch) answers() []relay.InsertResult {
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
