package db

import (
	"context"
	"encoding/json"
	"fmt"

	"relay/internal/relay"
)

// cancelSQL ends an event whether its run has taken it or has not come to that. The row is the run's then, too, so that a
// reset of the run takes it again.
const cancelSQL = `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?, run_id = ?,
	finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
	WHERE id = ? AND (status = 'pending' OR status = 'processing' AND run_id = ?)`

// Cancel ends an event whose delivery somebody gave up: one that its run has taken, and one that it has not, which would
// otherwise be pending for the next run. What has ended, or is another run's, stays as it is.
func (s *Store) Cancel(ctx context.Context, id int64, run string, c relay.EventOutcome) error {
	act := fmt.Sprintf("cancel event %d", id)
	ends, err := json.Marshal(c.Ends)
	if err != nil {
		return fail(act, err)
	}
	_, err = s.exec(ctx, cancelSQL, string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), ends, run, id, run)
	return fail(act, err)
}
