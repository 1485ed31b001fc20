package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// board is an outbox of notices and their receiver.
type board struct {
	due      []int64
	sent     map[int64]int // attempts
	recorded map[int64]relay.Outcome
	refuses  map[int64]bool
	lost     map[int64]bool // cannot be read
	fails    int            // records that fail
	rules    ops.NoticeRules
}

func (b *board) ComposeNotices(_ context.Context, rules ops.NoticeRules) error {
	b.rules = rules
	return nil
}

func (b *board) DueNotices(context.Context) ([]int64, error) { return b.due, nil }

func (b *board) Notice(_ context.Context, id int64) (ops.Notice, error) {
	if b.lost[id] {
		return ops.Notice{}, errors.New("connection to jane@example.com lost")
	}
	if b.recorded[id] == relay.Accepted {
		return ops.Notice{}, relay.ErrNotFound
	}
	return ops.Notice{ID: id}, nil
}

func (b *board) RecordNotice(_ context.Context, id int64, r relay.Result) error {
	if b.fails--; b.fails >= 0 {
		return relay.ErrUnavailable
	}
	b.recorded[id] = r.Outcome
	return nil
}

func (b *board) Notify(_ context.Context, n ops.Notice) relay.Result {
	b.sent[n.ID]++
	if b.refuses[n.ID] {
		return relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}
	}
	return relay.Result{Outcome: relay.Accepted}
}

func sendNotices(t *testing.T, b *board, notifier activities.Notifier) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterWorkflow(workflows.SendNotices)
	env.RegisterActivity(&activities.Activities{Notices: b, Notifier: notifier, NoticeRules: ops.NoticeRules{Every: time.Hour}, Log: slog.New(slog.DiscardHandler)})
	env.ExecuteWorkflow(workflows.SendNotices)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	return env
}

func newBoard(due ...int64) *board {
	return &board{due: due, sent: map[int64]int{}, recorded: map[int64]relay.Outcome{}, refuses: map[int64]bool{}, lost: map[int64]bool{}}
}

func TestEachDueNoticeIsSentOnceAndRecorded(t *testing.T) {
	t.Parallel()
	b := newBoard(1, 2, 3)
	b.refuses[2], b.lost[3] = true, true
	sendNotices(t, b, b)
	require.Equal(t, map[int64]int{1: 1, 2: 1}, b.sent)
	require.Equal(t, map[int64]relay.Outcome{1: relay.Accepted, 2: relay.Retry}, b.recorded)
	require.Equal(t, time.Hour, b.rules.Every)
	sendNotices(t, b, b)
	require.Equal(t, map[int64]int{1: 1, 2: 2}, b.sent, "what was sent is not repeated, even if a look still lists it")
}

func TestADatabaseThatIsAwayRepeatsNoNotice(t *testing.T) {
	t.Parallel()
	b := newBoard(1)
	b.fails = 5
	sendNotices(t, b, b)
	require.Equal(t, map[int64]int{1: 1}, b.sent)
	require.Equal(t, relay.Accepted, b.recorded[1])
}

func TestAWorkerWithoutAReceiverSendsNothing(t *testing.T) {
	t.Parallel()
	b := newBoard(1)
	sendNotices(t, b, nil)
	require.Empty(t, b.sent)
	require.Empty(t, b.recorded)
}
