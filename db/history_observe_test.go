package db_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func TestObserveReportsThePresentState(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, quiet := f.storefront("bosley"), f.storefront("quiet")
	require.NoError(t, f.PutSGTM(t.Context(), bosley, ops.SGTMConfig{URL: "https://tags.example.com", Active: true}))
	require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "meta_capi", Fields: map[string]relay.Secret{}, Active: true}))
	require.NoError(t, f.SetStorefrontActive(t.Context(), quiet, false))
	require.NoError(t, f.SetPlatformActive(t.Context(), "meta_capi", false))
	require.NoError(t, f.RecordFailure(t.Context(), bosley, relay.SGTM, relay.Failure{Reason: relay.ReasonUnauthorized, Down: true, Probe: 30 * time.Second}))
	stored := f.insert(newEvents(0, 6, bosley, "bosley"))
	f.taken(stored[0].ID, "running")
	f.ended(stored[1].ID, relay.StatusDelivered, "", relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted})
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 1 HOUR WHERE id = ?", stored[2].ID)
	f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES ('nobody', 'bosley', 'purchase_completed', '{}', 'oms_direct', 'pending')`)
	f.rollUp()
	require.NoError(t, f.RecordReconciliation(t.Context(), ops.Reconciliation{Checked: 1, Reopened: 1}))

	o, err := f.Observe(t.Context())
	require.NoError(t, err)
	backlogs := map[string]ops.Backlog{}
	for _, b := range o.Backlogs {
		backlogs[b.Storefront] = b
	}
	require.Len(t, backlogs, 3)
	require.Equal(t, 4, backlogs["bosley"].Pending)
	require.Equal(t, 1, backlogs["bosley"].Processing)
	require.InDelta(t, time.Hour.Seconds(), backlogs["bosley"].Oldest.Seconds(), 300)
	require.Equal(t, ops.Backlog{Storefront: "quiet"}, backlogs["quiet"])
	require.Empty(t, backlogs["bosley"].Held)
	require.Equal(t, 1, backlogs[""].Pending, "the row whose code is not resolved yet")
	require.Contains(t, o.Switches, ops.SwitchState{Level: ops.LevelStorefront, Storefront: "quiet", On: false})
	require.Contains(t, o.Switches, ops.SwitchState{Level: ops.LevelSGTM, Storefront: "bosley", Destination: relay.SGTM, On: true})
	require.Contains(t, o.Switches, ops.SwitchState{Level: ops.LevelPlatform, Destination: "meta_capi", On: false})
	require.Contains(t, o.Switches, ops.SwitchState{Level: ops.LevelCredential, Storefront: "bosley", Destination: "meta_capi", On: true})
	require.Len(t, o.Destinations, 1)
	require.True(t, o.Destinations[0].Unhealthy)
	require.Contains(t, o.Stats, ops.Stat{Storefront: "bosley", Outcome: "received", N: 6})
	require.Contains(t, o.Stats, ops.Stat{Storefront: "bosley", Outcome: "delivered", N: 1})
	require.WithinDuration(t, time.Now(), o.CountedAt, time.Minute)
	require.Equal(t, int64(1), o.Repaired)
	require.Equal(t, 1, o.Reconciliation.Repaired())
}

// A backlog waits for a limit as long as started events use it up. Without a worker it waits for a worker.
func TestObserveReportsABacklogThatWaitsForALimit(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	limited, free := f.storefront("limited"), f.storefront("free")
	require.NoError(t, f.PutSGTM(t.Context(), limited, ops.SGTMConfig{URL: "https://tags.example.com", Active: true,
		Options: relay.Options{Limits: relay.Limits{InFlight: 1}}}))
	for id, code := range map[int64]string{limited: "limited", free: "free"} {
		f.taken(f.insert(newEvents(int(id)*10, int(id)*10+3, id, code))[0].ID, "running")
	}
	waits := func() map[string]bool {
		o, err := f.Observe(t.Context())
		require.NoError(t, err)
		all := map[string]bool{}
		for _, b := range o.Backlogs {
			all[b.Storefront] = b.Limited
		}
		return all
	}
	require.Equal(t, map[string]bool{"limited": true, "free": false, "": false}, waits())
	f.exec("UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
	require.Equal(t, map[string]bool{"limited": false, "free": false, "": false}, waits())
}

// An event that waits for a credential or for the database is in delivery: no pending event grows old.
func TestObserveReportsEventsThatWaitForACredentialOrTheDatabase(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	locked, retrying := f.storefront("locked"), f.storefront("retrying")
	held := f.insert(newEvents(0, 4, locked, "locked"))
	f.waits(held[0].ID, relay.WaitsForCredential, time.Minute)
	f.waits(held[1].ID, relay.WaitsForCredential, time.Minute)
	f.waits(held[2].ID, relay.WaitsForDatabase, 10*time.Second)
	f.waits(held[3].ID, relay.WaitsForLimit, time.Minute)
	f.waits(f.insert(newEvents(10, 11, retrying, "retrying"))[0].ID, relay.WaitsForRetry, time.Minute)
	for i, minutes := range []int{60, 50, 40, 120} {
		f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL ? MINUTE WHERE id = ?", minutes, held[i].ID)
	}
	minutes := func() map[relay.WaitsFor]int {
		o, err := f.Observe(t.Context())
		require.NoError(t, err)
		found := map[relay.WaitsFor]int{}
		for _, b := range o.Backlogs {
			for w, age := range b.Held {
				require.Equal(t, "locked", b.Storefront)
				found[w] = int(age.Minutes())
			}
		}
		return found
	}
	require.Equal(t, map[relay.WaitsFor]int{relay.WaitsForCredential: 60, relay.WaitsForDatabase: 40}, minutes())
	require.NoError(t, f.Finish(t.Context(), held[0].ID, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	require.Equal(t, 50, minutes()[relay.WaitsForCredential])
	f.exec("UPDATE marketing_events SET next_attempt_at = UTC_TIMESTAMP(6) - INTERVAL 3 MINUTE")
	require.Empty(t, minutes(), "no attempt followed, so that it is another destination that they wait for")
}

// waits makes an event wait as an attempt does that could not be sent.
func (f *fixture) waits(id int64, w relay.WaitsFor, after time.Duration) {
	f.t.Helper()
	f.taken(id, "run")
	require.NoError(f.t, f.Wait(f.t.Context(), id, relay.Waiting{For: w, After: after, InFlight: w != relay.WaitsForRetry}))
}

func TestObservingReadsKeysOnly(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.exec("ANALYZE TABLE marketing_events")
	for name, query := range db.ObserveQueries() {
		for _, line := range f.explain(query) {
			if line["table"] == "marketing_events" {
				require.Equal(t, "ix_marketing_events_claim", line["key"], name)
				require.NotEqual(t, "index", line["type"], name)
				require.NotContains(t, line["Extra"], "filesort", name)
			}
		}
	}
}
