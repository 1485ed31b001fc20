package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

func TestClaimIsFairBetweenStorefronts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	big, small := f.storefront("big"), f.storefront("small")
	f.insert(newEvents(0, 3000, big, "big"))
	f.insert(newEvents(5000, 5010, small, "small"))

	starts := f.claim(db.ClaimOptions{Page: 100, Lease: time.Minute})
	require.Len(t, starts, 110)
	for n := range 20 {
		require.Equal(t, []string{"big", "small"}[n%2], starts[n].StorefrontCode, "pages are interleaved")
	}
	require.Len(t, f.claim(db.ClaimOptions{Page: 100, Lease: time.Minute}), 100, "leased rows are not claimed again")
}

func TestClaimTakesTheOldestFirst(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	var want []int64
	for n := range 5 {
		want = append(want, f.direct(fmt.Sprint(9-n), bosley))
	}
	require.Equal(t, want[:3], ids(f.claim(db.ClaimOptions{Page: 3, Lease: time.Minute})))
	require.Equal(t, want[3:], ids(f.claim(db.ClaimOptions{Page: 3, Lease: time.Minute})))
}

func TestClaimLeavesRoomUnderTheCap(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.insert(newEvents(0, 50, bosley, "bosley"))
	capped := db.ClaimOptions{Page: 100, Cap: 10, Lease: time.Minute}
	starts := f.claim(capped)
	require.Len(t, starts, 10)
	require.Empty(t, f.claim(capped), "ten are about to start")

	f.taken(starts[0].ID, "run 0")
	f.taken(starts[1].ID, "run 1")
	require.Empty(t, f.claim(capped), "two of them run")

	require.NoError(t, f.Finish(t.Context(), starts[0].ID, "run 0", relay.EventOutcome{Status: relay.StatusDelivered}))
	f.insert(newEvents(100, 103, pfizer, "pfizer"))
	next := f.claim(capped)
	require.Len(t, next, 4, "one place of bosley's is free, and pfizer has its own")

	require.NoError(t, f.Wait(t.Context(), starts[1].ID, relay.Waiting{For: relay.WaitsForRetry, After: time.Minute}))
	require.Len(t, f.claim(capped), 1, "a delivery that waits for its next attempt does not count as in flight")
	require.NoError(t, f.Wait(t.Context(), starts[2].ID, relay.Waiting{}))
	require.Empty(t, f.claim(capped), "the lease of a row without a run belongs to its starter")
}

func TestLeaseOfAKilledClaimerExpires(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	require.Len(t, f.claim(db.ClaimOptions{Page: 10, Lease: 50 * time.Millisecond}), 1)
	require.Eventually(t, func() bool {
		starts := f.claim(aPage)
		return len(starts) == 1 && starts[0].ID == id
	}, time.Minute, 10*time.Millisecond)
	require.Empty(t, f.claim(aPage))
}

func TestALeaseFromBeforeTheClockWasSetBackIsFree(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for n := range 6 {
		f.direct(fmt.Sprint(n), bosley)
	}
	capped := db.ClaimOptions{Page: 2, Cap: 2, Lease: time.Minute}
	require.Len(t, f.claim(capped), 2)
	require.Empty(t, f.claim(capped))
	taken := ids(f.claim(db.ClaimOptions{Page: 2, Lease: time.Hour}))
	f.taken(taken[0], "run")
	require.Equal(t, 4, f.count("SELECT COUNT(*) FROM marketing_events WHERE claimed_until BETWEEN UTC_TIMESTAMP(6) AND UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE"),
		"no lease is so long that a statement which began before it takes it for one of a clock set back")

	f.exec("UPDATE marketing_events SET claimed_until = claimed_until + INTERVAL 1 HOUR") // as they are once the clock was set back
	require.Len(t, f.claim(capped), 2, "they do not count against the cap")
	require.Len(t, f.claim(aPage), 3)
	require.Empty(t, f.claim(aPage))
	rows, err := f.Processing(t.Context(), nil, 10)
	require.NoError(t, err)
	require.Len(t, rows, 1, "the reconciler checks the run's row")
}

func TestReleasedRowsAreClaimedAgain(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	a, b := f.direct("1", bosley), f.direct("2", bosley)
	require.Equal(t, []int64{a, b}, ids(f.claim(aPage)))
	require.NoError(t, f.Release(t.Context(), []int64{a}))
	require.Equal(t, []int64{a}, ids(f.claim(aPage)))
	require.NoError(t, f.Release(t.Context(), nil))
}

func TestARowWhoseStartFailsDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	bad, other := f.direct("bad", bosley), f.direct("other", bosley)
	one := db.ClaimOptions{Page: 1, Lease: time.Minute}
	require.Equal(t, []int64{bad}, ids(f.claim(one)))
	require.NoError(t, f.Release(t.Context(), []int64{bad}))
	require.Equal(t, []int64{other}, ids(f.claim(one)))
	require.Equal(t, []int64{bad}, ids(f.claim(one)))
}

func TestARowWithAnExpiredLeaseStartsBeforeLaterRows(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	lost := f.direct("lost", bosley)
	require.Equal(t, []int64{lost}, ids(f.claim(db.ClaimOptions{Page: 1, Lease: time.Microsecond})))
	later := f.direct("later", bosley)
	require.Equal(t, []int64{lost, later}, ids(f.claim(aPage)))
}

func TestTwoClaimersNeverShareARow(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	for _, code := range []string{"a", "b", "c"} {
		f.insert(newEvents(int(code[0])*1000, int(code[0])*1000+400, f.storefront(code), code))
	}
	var mu sync.Mutex
	claimed := map[int64]int{}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				starts, err := f.Claim(t.Context(), db.ClaimOptions{Page: 30, Lease: time.Minute})
				if err != nil || len(starts) == 0 {
					return
				}
				mu.Lock()
				for _, s := range starts {
					claimed[s.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, s := range f.claim(db.ClaimOptions{Page: 5000, Lease: time.Minute}) {
		claimed[s.ID]++ // rows that all skipped because another had locked them
	}
	require.Len(t, claimed, 1200)
	for id, n := range claimed {
		require.Equal(t, 1, n, "row %d", id)
	}
}

func TestRowsOfTheAPIAreNotClaimedUntilTheirLeaseEnds(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	events := newEvents(0, 4, bosley, "bosley")
	events[0].Leased, events[1].Leased = true, true
	stored, err := f.InsertEvents(t.Context(), events, time.Hour)
	require.NoError(t, err)
	require.Equal(t, []int64{stored[2].ID, stored[3].ID}, ids(f.claim(aPage)))
	f.taken(stored[0].ID, "started by the API")
	require.Empty(t, f.claim(aPage))
	f.exec("UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) WHERE id IN (?, ?)", stored[0].ID, stored[1].ID) // an hour later
	require.Equal(t, []int64{stored[1].ID}, ids(f.claim(aPage)), "the row that the API stored and never started")
}

func TestAnUncommittedRowWithALowerIDIsClaimedAfterItsCommit(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	tx, err := f.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	insert := `INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, ?, ?, 'x', '{}', 'oms_direct', 'pending')`
	for _, row := range [][]any{{"open", bosley, nil}, {"open by code", nil, "bosley"}} {
		_, err = tx.ExecContext(t.Context(), insert, row...)
		require.NoError(t, err)
	}
	later := f.direct("committed", bosley)

	starts, err := f.Claim(shortly(t), aPage)
	require.NoError(t, err, "an uncommitted insert blocks no claim")
	require.Equal(t, []int64{later}, ids(starts))
	require.NoError(t, tx.Commit())
	var events []string
	for _, s := range f.claim(aPage) {
		events = append(events, s.EventID)
	}
	require.ElementsMatch(t, []string{"open", "open by code"}, events)
}

func TestOpenClaimBlocksNoInsertAndNoSwitch(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 20, bosley, "bosley"))
	tx, err := f.relayRaw().BeginTx(t.Context(), nil) // an insert of OMS that stays open
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status)
		VALUES ('open', ?, 'x', '{}', 'oms_direct', 'pending')`, bosley)
	require.NoError(t, err)

	require.NoError(t, f.SetStorefrontActive(shortly(t), bosley, false))
	_, err = f.InsertEvents(shortly(t), newEvents(20, 40, bosley, "bosley"), time.Second)
	require.NoError(t, err)
	starts, err := f.Claim(shortly(t), aPage)
	require.NoError(t, err)
	require.Len(t, starts, 40)
}

func TestUndeliverableRowsFailAndBlockNoOthers(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	insert := func(event string, id, code any, kind, payload string) int64 {
		return f.exec(`INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload, source_system, status)
			VALUES (?, ?, ?, ?, ?, 'oms_direct', 'pending')`, event, id, code, kind, payload)
	}
	bad := map[int64]relay.Reason{
		insert("unknown id", 4711, nil, "x", "{}"):           relay.ReasonUnknownStorefront,
		insert("unknown code", nil, "nobody", "x", "{}"):     relay.ReasonUnknownStorefront,
		insert("other case", nil, "Bosley", "x", "{}"):       relay.ReasonUnknownStorefront,
		insert("mismatch", bosley, "pfizer", "x", "{}"):      relay.ReasonStorefrontMismatch,
		insert("", bosley, nil, "x", "{}"):                   relay.ReasonMissingEventID,
		insert("no type", bosley, nil, " ", "{}"):            relay.ReasonMissingEventType,
		insert("no json", nil, "bosley", "x", "{"):           relay.ReasonInvalidPayload,
		insert("an array", bosley, nil, "x", "[1]"):          relay.ReasonInvalidPayload,
		insert("null", bosley, nil, "x", "null"):             relay.ReasonInvalidPayload,
		insert("empty", bosley, nil, "x", ""):                relay.ReasonInvalidPayload,
		insert("mismatch too", pfizer, "bosley ", "x", "{}"): relay.ReasonStorefrontMismatch,
		insert("id 0", 0, nil, "x", "{}"):                    relay.ReasonUnknownStorefront,
		insert("negative", -7, "bosley", "x", "{}"):          relay.ReasonUnknownStorefront,
	}
	good := []int64{
		insert("by id", bosley, nil, "Purchase_Completed", "{}"),
		insert("by code", nil, " bosley ", "x", " {} "),
		insert("by both", bosley, "bosley ", "x", "{}"),
	}
	starts := f.claim(db.ClaimOptions{Page: 1, Lease: time.Minute})
	starts = append(starts, f.claim(aPage)...)
	require.ElementsMatch(t, good, ids(starts))
	for _, s := range starts {
		require.Equal(t, "bosley", s.StorefrontCode)
		require.Equal(t, strings.ToLower(s.Type), s.Type)
	}
	for id, want := range bad {
		status, reason := f.status(id)
		require.Equal(t, relay.StatusFailed, status)
		require.Equal(t, want, reason, f.text("SELECT event_id FROM marketing_events WHERE id = ?", id))
	}
	require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'failed' AND (detail IS NULL OR detail = '' OR finished_at IS NULL)"))
	require.Equal(t, `storefront_id 1 is "bosley", storefront_code is "pfizer"`, f.text("SELECT detail FROM marketing_events WHERE event_id = 'mismatch'"))
	require.Equal(t, "bosley", f.text("SELECT storefront_code FROM marketing_events WHERE id = ?", good[0]), "the code is filled in")
	require.Equal(t, bosley, int64(f.count("SELECT storefront_id FROM marketing_events WHERE id = ?", good[1])), "the id is written back")
}

func TestThousandsOfBadRowsDelayNoGoodOne(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for n := range 3 {
		f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
			SELECT CONCAT(?, '-', id), 'bosley', 'x', 'broken', 'oms_direct', 'pending' FROM ad_analytics_platforms`, n)
	}
	f.insert(newEvents(0, 1, bosley, "bosley"))
	starts := f.claim(db.ClaimOptions{Page: 50, Lease: time.Minute})
	require.Len(t, starts, 1)
	require.Equal(t, 3*f.count("SELECT COUNT(*) FROM ad_analytics_platforms"), f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'failed' AND reason = 'invalid_payload'"))
}
