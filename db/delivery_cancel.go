package db

import (
	"context"
	"encoding/json"
	"fmt"

	"relay/internal/relay"
)

// cancelSQL ends an event, whether its run has taken it or not yet. The run then owns the row, so that a reset of the run
// can take it again.
const cancelSQL = `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?, run_id = ?,
	finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
	WHERE id = ? AND (status = 'pending' OR status = 'processing' AND run_id = ?)`

// Cancel ends an event whose delivery was cancelled in Temporal. A row that its run has not taken yet ends too: it would
// otherwise stay pending and start again. A row that has ended or that another run owns does not change.
func (s *Store) Cancel(ctx context.Context, id int64, run string, c relay.EventOutcome) error {
	op := fmt.Sprintf("cancel event %d", id)
	ends, err := json.Marshal(c.Ends)
	if err != nil {
		return wrap(op, err)
	}
	_, err = s.exec(ctx, cancelSQL, string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), ends, run, id, run)
	return wrap(op, err)
}
