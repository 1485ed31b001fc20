package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAnActionThatCannotBeAuditedIsRolledBack(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.ended(id, relay.StatusFailed, relay.ReasonExhausted)
	line := ops.AuditEntry{By: "anna", Action: "retry", Entity: "events", EntityID: id}
	f.exec("RENAME TABLE admin_audit TO audit_away")

	_, err := f.RetryEvent(t.Context(), id, line)
	require.Error(t, err)
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'failed'"))
	_, err = f.CreateReplay(t.Context(), ops.Replay{Rate: 1}, line)
	require.Error(t, err)
	require.Zero(t, f.count("SELECT COUNT(*) FROM event_replays"))

	f.exec("RENAME TABLE audit_away TO admin_audit")
	for _, retried := range []bool{true, false} {
		r, err := f.RetryEvent(t.Context(), id, line)
		require.NoError(t, err)
		require.Equal(t, retried, r.Retried)
	}
	_, err = f.CreateReplay(t.Context(), ops.Replay{Rate: 1}, ops.AuditEntry{By: "anna", Action: "replay", Entity: "replays"})
	require.NoError(t, err)
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM admin_audit WHERE actor = 'anna'"), "one for the retry, none for the second request")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM admin_audit WHERE entity = 'replays' AND entity_id = (SELECT MAX(id) FROM event_replays)"))
}
