package db_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// OMS may insert an event and keep its transaction open for any time.
func TestAKeyInAnOpenTransactionIsBusyAndBarelyDelaysTheOthers(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]sql.IsolationLevel{"read committed": sql.LevelReadCommitted, "repeatable read": sql.LevelRepeatableRead} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := migrated(t)
			bosley := f.storefront("bosley")
			events := newEvents(0, 1200, bosley, "bosley")
			f.insert(events[:1])
			tx, err := f.raw.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
			require.NoError(t, err)
			defer func() { _ = tx.Rollback() }()
			for _, e := range []relay.NewEvent{events[3], events[700]} {
				_, err = tx.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status)
					VALUES (?, ?, ?, '{}', 'oms_direct', 'pending')`, e.EventID, bosley, e.Type)
				require.NoError(t, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			stored, err := f.InsertEvents(ctx, events, time.Second)
			require.NoError(t, err)
			for i, s := range stored {
				want := map[int]relay.Verdict{0: relay.Duplicate, 3: relay.Busy, 700: relay.Busy}[i]
				require.Equal(t, want, s.Verdict, i)
				require.Equal(t, want == relay.Busy, s.ID == 0)
			}
			require.Equal(t, 1198, f.count("SELECT COUNT(*) FROM marketing_events"))
			require.NoError(t, tx.Rollback())
			stored = f.insert(events)
			require.Equal(t, relay.Inserted, stored[3].Verdict, "sent again")
			require.Equal(t, relay.Duplicate, stored[4].Verdict)
		})
	}
	t.Run("a lock without a row", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		bosley := f.storefront("bosley")
		tx, err := f.raw.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(t.Context(), "SELECT id FROM marketing_events WHERE event_id = 'none' FOR UPDATE") // locks the gap
		require.NoError(t, err)
		start := time.Now()
		_, err = f.InsertEvents(t.Context(), newEvents(0, 3, bosley, "bosley"), time.Second)
		require.ErrorIs(t, err, relay.ErrUnavailable)
		require.Less(t, time.Since(start), 15*time.Second)
	})
}
