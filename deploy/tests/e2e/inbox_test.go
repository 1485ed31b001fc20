package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/internal/relay"
)

func undeliverable(t *testing.T, w *town) {
	id := w.storefront(t, "strict")
	w.exec(t, insertSQL, "strict-code", "no-such-code", purchase, payload)
	w.exec(t, insertSQL, "strict-json", "strict", purchase, `{"email": "`+markEmail)
	w.exec(t, insertSQL, "strict-array", "strict", purchase, `["`+markEmail+`"]`)
	w.exec(t, insertSQL, "strict-type", "strict", "", payload)
	w.exec(t, insertSQL, "", "strict", purchase, payload)
	byID := `INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, ?, ?, ?, ?, 'oms_direct', 'pending')`
	w.exec(t, byID, "strict-id", 4711, nil, purchase, payload)
	w.exec(t, byID, "strict-both", id, "bosley", purchase, payload)
	w.insert(t, "strict", "strict-good")
	w.delivered(t, "strict-good")
	for event, reason := range map[string]relay.Reason{
		"strict-code":  relay.ReasonUnknownStorefront,
		"strict-id":    relay.ReasonUnknownStorefront,
		"strict-both":  relay.ReasonStorefrontMismatch,
		"strict-json":  relay.ReasonInvalidPayload,
		"strict-array": relay.ReasonInvalidPayload,
		"strict-type":  relay.ReasonMissingEventType,
		"":             relay.ReasonMissingEventID,
	} {
		eventually(t, func() error { // by OMS's own SELECT
			var status, got, detail string
			err := w.sql.QueryRowContext(t.Context(), `SELECT status, COALESCE(reason, ''), COALESCE(detail, '') FROM marketing_events
				WHERE event_id = ?`, event).Scan(&status, &got, &detail)
			if err == nil && (status != "failed" || got != string(reason) || detail == "") {
				err = fmt.Errorf("%q is %s, %q: %s", event, status, got, detail)
			}
			return err
		})
	}
	require.Len(t, w.requests(t, "/strict/"), 1)
}

func behindBadRows(t *testing.T, w *town) {
	w.storefront(t, "behind")
	tx, err := w.sql.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for i := range 100 {
		_, err = tx.ExecContext(t.Context(), insertSQL, fmt.Sprintf("behind-bad-%d", i), "behind", purchase, "no JSON")
		require.NoError(t, err)
	}
	_, err = tx.ExecContext(t.Context(), insertSQL, "behind-good", "behind", purchase, payload)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	e := w.delivered(t, "behind-good")
	require.Less(t, e.FinishedAt.Sub(e.CreatedAt), time.Minute)
	require.Len(t, w.requests(t, "/behind/"), 1)
	require.Equal(t, 100, w.count(t, `SELECT COUNT(*) FROM marketing_events WHERE event_id LIKE 'behind-bad-%' AND status = 'failed'`))
}

func committedLate(t *testing.T, w *town) {
	w.storefront(t, "late")
	tx, err := w.sql.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	result, err := tx.ExecContext(t.Context(), insertSQL, "late-1", "late", purchase, payload)
	require.NoError(t, err)
	first, err := result.LastInsertId()
	require.NoError(t, err)
	w.insert(t, "late", "late-2")
	second := w.delivered(t, "late-2")
	require.Greater(t, second.ID, first)
	_, err = w.Event(t.Context(), "late-1", purchase)
	require.ErrorIs(t, err, harness.ErrNoEvent, "only OMS's transaction sees it")
	require.NoError(t, tx.Commit())
	require.Equal(t, first, w.delivered(t, "late-1").ID)
	w.requireOneRequestEach(t, "/late/", []string{"late-1", "late-2"})
}

func postedTwice(t *testing.T, w *town) {
	w.storefront(t, "twice")
	batch, orders := items("twice", "twice", 20)
	body := harness.Batch(batch...)
	responses := make(chan harness.BatchResponse, 2)
	failures := make(chan error, 2)
	for _, r := range []*harness.Relay{w.one, w.two} { // concurrently, to two processes
		go func() {
			response, err := r.Post(t.Context(), body)
			failures <- err
			responses <- response
		}()
	}
	require.NoError(t, errors.Join(<-failures, <-failures))
	a, b := <-responses, <-responses
	require.Equal(t, []int{http.StatusAccepted, http.StatusAccepted}, []int{a.HTTPStatus, b.HTTPStatus})
	require.Equal(t, 20, a.Accepted+b.Accepted)
	require.Equal(t, 20, a.Duplicates+b.Duplicates)
	w.allDelivered(t, orders)
	again, err := w.two.Post(t.Context(), body)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, again.HTTPStatus)
	require.Equal(t, 20, again.Duplicates)
	require.Zero(t, again.Accepted)
	w.requireOneRequestEach(t, "/twice/", orders)
}

// apiAndPollInbox ends the API's leases at once, so that PollInbox claims and starts the events that the API is starting.
func apiAndPollInbox(t *testing.T, w *town) {
	w.storefront(t, "raced")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := make(chan int, 1)
	go func() { taken <- w.endLeases(ctx) }()
	var all []string
	for i := range 5 {
		batch, orders := items("raced", fmt.Sprintf("raced-%d", i), 20)
		post(t, []*harness.Relay{w.one, w.two}[i%2], batch...)
		all = append(all, orders...)
	}
	w.allDelivered(t, all)
	cancel()
	require.Positive(t, <-taken, "leases that were ended while they were held")
	w.requireOneRequestEach(t, "/raced/", all)
}

// endLeases ends leases until ctx ends, and counts them. It locks row by row, by the primary key: any wider lock would
// wait for, and delay, the open transactions of other tests.
func (w *world) endLeases(ctx context.Context) int {
	taken := 0
	for ctx.Err() == nil {
		var id int64
		err := w.sql.QueryRowContext(ctx, `SELECT id FROM marketing_events WHERE event_id LIKE 'raced-%' AND status = 'pending'
			AND claimed_until > UTC_TIMESTAMP(6) ORDER BY id DESC LIMIT 1`).Scan(&id)
		if err != nil {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		if _, err := w.sql.ExecContext(ctx, `UPDATE marketing_events SET claimed_until = DEFAULT WHERE id = ?`, id); err == nil {
			taken++
		}
	}
	return taken
}
