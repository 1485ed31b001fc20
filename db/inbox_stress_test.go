package db_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// TestEveryEventIsTakenOnceUnderConcurrency runs three batches of the same events, direct inserts, three claimers and their
// runs on one table: no call fails, and every event is taken by one run.
func TestEveryEventIsTakenOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	const batches, size, direct = 6, 200, 60
	var writing, claiming sync.WaitGroup
	var done atomic.Bool
	errs := make(chan error, 1000)
	for range 3 {
		writing.Go(func() {
			for n := range batches {
				if _, err := f.InsertEvents(t.Context(), newEvents(n*size, (n+1)*size, bosley, "bosley"), time.Second); err != nil {
					errs <- err
				}
			}
		})
	}
	writing.Go(func() {
		for n := range direct {
			_, err := f.raw.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
				VALUES (?, 'bosley', 'x', '{}', 'oms_direct', 'pending')`, fmt.Sprintf("direct %d", n))
			if err != nil {
				errs <- err
			}
		}
	})
	var taken sync.Map
	for c := range 3 {
		claiming.Go(func() {
			for last := false; !last; {
				last = done.Load()
				starts, err := f.Claim(t.Context(), db.ClaimOptions{Page: 40, Cap: 500, Lease: time.Minute})
				if err != nil {
					errs <- err
				}
				last = last && len(starts) == 0
				for _, s := range starts {
					run := fmt.Sprintf("%d-%d", c, s.ID)
					ok, err := f.Take(t.Context(), s.ID, run)
					if err == nil && ok {
						err = f.Finish(t.Context(), s.ID, run, relay.EventOutcome{Status: relay.StatusDelivered})
					}
					if _, twice := taken.LoadOrStore(s.ID, run); twice || !ok || err != nil {
						errs <- fmt.Errorf("row %d: taken %t, before %t: %w", s.ID, ok, twice, err)
					}
				}
			}
		})
	}
	writing.Wait()
	done.Store(true)
	claiming.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, batches*size+direct, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered'"))
	require.Equal(t, batches*size+direct, f.count("SELECT COUNT(*) FROM marketing_events"))
}
