package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"relay/deploy/dev/harness"
)

// TestOldEventsAreDeletedOnSchedule follows an event from its arrival to its deletion after retention.
func TestOldEventsAreDeletedOnSchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETENTION_DAYS=1")
	w.storefront(t, "bosley")
	r := w.relay(t, "relay", "serve")
	post(t, r, item("bosley", "old"), item("bosley", "young"))
	old := w.delivered(t, "old")
	young := w.delivered(t, "young")
	w.exec(t, `UPDATE marketing_events SET created_at = created_at - INTERVAL 2 DAY, finished_at = finished_at - INTERVAL 2 DAY WHERE id = ?`, old.ID)

	trigger := func(schedule string) error {
		return w.temporal.ScheduleClient().GetHandle(t.Context(), schedule).Trigger(t.Context(), client.ScheduleTriggerOptions{})
	}
	eventually(t, func() error { // the worker creates the schedules, and the hours have to be counted first
		if w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE id = ?", old.ID) == 0 {
			return nil
		}
		if err := trigger("roll-up-stats"); err != nil {
			return err
		}
		if err := trigger("purge-events"); err != nil {
			return err
		}
		return errNotYet
	})
	w.recordScheduled(t, "roll-up-stats", "roll-up")
	w.recordScheduled(t, "purge-events", "purge")
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ?", old.ID))
	require.Equal(t, 1, w.count(t, "SELECT COUNT(*) FROM event_stats_purged WHERE destination = '' AND outcome = 'delivered' AND n = 1"))
	require.Equal(t, 1, w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE id = ?", young.ID))

	post(t, r, item("bosley", "old"))
	again := w.wait(t, "old", harness.Final)
	require.NotEqual(t, old.ID, again.ID, "a copy that arrives after retention is a new event")
}
