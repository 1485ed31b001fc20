package db_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

var noticeRules = ops.NoticeRules{Every: time.Hour, OldestPending: 5 * time.Minute, FailureShare: 0.1}

// compose looks once and returns the notices to send.
func (f *fixture) compose(rules ops.NoticeRules) []ops.Notice {
	f.t.Helper()
	require.NoError(f.t, f.ComposeNotices(f.t.Context(), rules))
	ids, err := f.DueNotices(f.t.Context())
	require.NoError(f.t, err)
	var list []ops.Notice
	for _, id := range ids {
		n, err := f.Notice(f.t.Context(), id)
		require.NoError(f.t, err)
		require.Equal(f.t, id, n.ID)
		list = append(list, n)
	}
	return list
}

func (f *fixture) noticeSent(id int64) {
	f.t.Helper()
	require.NoError(f.t, f.RecordNotice(f.t.Context(), id, relay.Result{Outcome: relay.Accepted, Status: 200}))
}

func failedAt(destination string, outcome relay.Outcome, reason relay.Reason) relay.DeliveryResult {
	return relay.DeliveryResult{Destination: destination, Outcome: outcome, Reason: reason}
}

func TestNoticesReportThePresentStateByCodesAndCounts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	require.Empty(t, f.compose(noticeRules))
	bosley, pfizer, down := f.storefront("bosley"), f.storefront("pfizer"), f.storefront("down")
	f.container(down, ops.SGTMConfig{})
	f.platform(down, "meta_capi")
	require.NoError(t, f.RecordFailure(t.Context(), down, relay.SGTM, relay.Failure{Reason: relay.ReasonServerError, Status: 503, Down: true}))
	require.NoError(t, f.RecordFailure(t.Context(), down, "meta_capi", relay.Failure{Reason: relay.ReasonUnauthorized, Status: 401, Down: true}))
	for i, e := range f.insert(newEvents(0, 8, bosley, "bosley")) {
		end, status := failedAt("meta_capi", relay.Rejected, relay.ReasonBadRequest), relay.StatusFailed
		if i >= 6 {
			end, status = failedAt("meta_capi", relay.Accepted, ""), relay.StatusDelivered
		}
		f.ended(e.ID, status, end.Reason, end)
	}
	for _, e := range f.insert(newEvents(100, 109, down, "down")) { // reported as unhealthy
		f.ended(e.ID, relay.StatusFailed, relay.ReasonExhausted, failedAt(relay.SGTM, relay.Exhausted, relay.ReasonServerError))
	}
	old := f.insert(newEvents(200, 202, pfizer, "pfizer"))
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 1 HOUR WHERE id = ?", old[0].ID)
	f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status, reason)
		VALUES ('nobody', 'jane@example.com', 'purchase_completed', '{}', 'oms_direct', 'failed', 'unknown_storefront')`)
	require.NoError(t, f.RecordReconciliation(t.Context(), ops.Reconciliation{Checked: 5, Reopened: 2, Cancelled: 1}))
	f.rollUp()

	by := map[ops.NoticeKind][]ops.NoticeSubject{}
	list := f.compose(noticeRules)
	for _, n := range list {
		for _, s := range n.Subjects {
			if !s.Since.IsZero() {
				require.WithinDuration(t, time.Now(), s.Since, 2*time.Hour)
				s.Since = time.Time{}
			}
			by[n.Kind] = append(by[n.Kind], s)
		}
	}
	require.Equal(t, map[ops.NoticeKind][]ops.NoticeSubject{
		ops.NoticeUnhealthy:  {{Storefront: "down", Destination: relay.SGTM, Reason: relay.ReasonServerError, Status: 503}},
		ops.NoticeCredential: {{Storefront: "down", Destination: "meta_capi", Reason: relay.ReasonUnauthorized, Status: 401}},
		ops.NoticeWaiting:    {{Storefront: "pfizer"}},
		ops.NoticeFailing:    {{Storefront: "bosley", Destination: "meta_capi", Reason: relay.ReasonBadRequest, Failed: 6, Ended: 8}},
		ops.NoticeUnknown:    {{Rows: 1}},
		ops.NoticeRepairs:    {{Rows: 3}},
	}, by)
	require.Zero(t, f.count("SELECT COUNT(*) FROM notices WHERE body LIKE '%jane%'"))
	require.Len(t, f.compose(noticeRules), len(list), "a second look adds none")
}

func TestANoticeIsDueUntilItIsSent(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.storefront("down")
	f.container(id, ops.SGTMConfig{})
	require.NoError(t, f.RecordFailure(t.Context(), id, relay.SGTM, relay.Failure{Reason: relay.ReasonServerError, Status: 503, Down: true}))
	list := f.compose(noticeRules)
	require.Len(t, list, 1)
	_, err := f.RecordSuccess(t.Context(), id, relay.SGTM)
	require.NoError(t, err)

	require.NoError(t, f.RecordNotice(t.Context(), list[0].ID, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}))
	require.Empty(t, f.compose(noticeRules), "neither it, nor the recovery before it")
	status, err := f.NoticeStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, ops.NoticeStatus{Unsent: 1, LastReason: relay.ReasonNetwork}, status)
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM notices WHERE next_at BETWEEN UTC_TIMESTAMP(6) + INTERVAL 20 SECOND AND UTC_TIMESTAMP(6) + INTERVAL 31 SECOND"))
	for range 12 {
		require.NoError(t, f.RecordNotice(t.Context(), list[0].ID, relay.Result{Outcome: relay.Retry, RetryAfter: 3000 * time.Hour}))
	}
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM notices WHERE next_at < UTC_TIMESTAMP(6) + INTERVAL 61 MINUTE"), "a receiver cannot silence it")
	f.exec("UPDATE notices SET next_at = UTC_TIMESTAMP(6)")
	require.Len(t, f.compose(noticeRules), 1)

	f.noticeSent(list[0].ID)
	_, err = f.Notice(t.Context(), list[0].ID)
	require.ErrorIs(t, err, relay.ErrNotFound)
	f.noticeSent(list[0].ID) // recorded twice
	recovery := f.compose(noticeRules)
	require.Len(t, recovery, 1)
	require.Equal(t, ops.NoticeRecovery, recovery[0].Phase)
	f.noticeSent(recovery[0].ID)
	status, err = f.NoticeStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, ops.NoticeUnhealthy, status.LastKind)
	require.WithinDuration(t, time.Now(), status.LastSent, time.Minute)

	f.exec("UPDATE notices SET sent_at = sent_at - INTERVAL 100 DAY")
	require.Empty(t, f.compose(noticeRules))
	require.Zero(t, f.count("SELECT COUNT(*) FROM notices"), "old ones are deleted")
}

func TestConcurrentLooksReportOnce(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.storefront("down")
	f.container(id, ops.SGTMConfig{})
	require.NoError(t, f.RecordFailure(t.Context(), id, relay.SGTM, relay.Failure{Reason: relay.ReasonServerError, Down: true}))
	failed := make(chan error, 8)
	for range 8 {
		go func() { failed <- f.ComposeNotices(t.Context(), noticeRules) }()
	}
	for range 8 {
		require.NoError(t, <-failed)
	}
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM notices"))
}

func TestABacklogThatWaitsForALimitIsNoNews(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.storefront("slow")
	require.NoError(t, f.PutSGTM(t.Context(), id, ops.SGTMConfig{URL: "https://tags.example.com", Active: true}))
	f.exec(`UPDATE storefront_sgtm_config SET options = '{"limits": {"per_second": 1}}' WHERE storefront_id = ?`, id)
	stored := f.insert(newEvents(0, 3, id, "slow"))
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 1 HOUR")
	require.Len(t, f.compose(noticeRules), 1, "nothing uses the limit up")
	f.exec("DELETE FROM notices")
	f.exec("DELETE FROM notice_state")
	f.taken(stored[0].ID, "running")
	require.Empty(t, f.compose(noticeRules))
}

// An event whose credential no key decrypts is taken again each minute, and none grows old as pending.
func TestEventsThatWaitForACredentialAreNews(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	locked, both, young := f.storefront("locked"), f.storefront("both"), f.storefront("young")
	for i, id := range []int64{locked, both, young} {
		f.waits(f.insert(newEvents(10*i, 10*i+1, id, "x"))[0].ID, relay.WaitsForCredential, time.Minute)
	}
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 20 MINUTE WHERE storefront_id IN (?, ?)", locked, both)
	f.insert(newEvents(50, 51, both, "both"))
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 10 MINUTE WHERE status = 'pending'")
	list := f.compose(noticeRules)
	require.Len(t, list, 1)
	require.Equal(t, ops.NoticeWaiting, list[0].Kind)
	require.Len(t, list[0].Subjects, 2, "one of each storefront")
	for i, code := range []string{"both", "locked"} {
		s := list[0].Subjects[i]
		require.WithinDuration(t, time.Now().Add(-20*time.Minute), s.Since, time.Minute)
		require.Equal(t, ops.NoticeSubject{Storefront: code, Reason: relay.ReasonCredentialUnreadable, Since: s.Since}, s)
	}
}

func TestTheDailySummaryCountsByStorefront(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	stored := f.insert(newEvents(0, 3, f.storefront("bosley"), "bosley"))
	f.ended(stored[0].ID, relay.StatusDelivered, "")
	f.ended(stored[1].ID, relay.StatusSkipped, relay.ReasonNotMapped)
	f.rollUp()
	midnight := time.Duration(0)
	list := f.compose(ops.NoticeRules{Daily: &midnight})
	require.Len(t, list, 1)
	require.Equal(t, []ops.NoticeSubject{{Storefront: "bosley", Events: &ops.NoticeCounts{Received: 3, Delivered: 1, Skipped: 1, Open: 1}}}, list[0].Subjects)
	f.noticeSent(list[0].ID)
	require.Empty(t, f.compose(ops.NoticeRules{Daily: &midnight}))
}
