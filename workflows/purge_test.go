package workflows_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// attic holds numbers of events and audit entries that are too old.
type attic struct {
	events, audit int64
	replays       int64
	erasures      int64
	counts        int64
	fails         int
	ages          map[time.Duration]bool // that it was asked for
	marks         []ops.PurgeCursor
	batches       int
	lasting       bool // every fifth batch finds only what stays
}

func (a *attic) PurgeEvents(_ context.Context, age time.Duration, after ops.PurgeCursor, n int) (ops.PurgeBatch, error) {
	if a.fails > 0 {
		a.fails--
		return ops.PurgeBatch{}, fmt.Errorf("event 4711 of jane@example.com: %w", relay.ErrUnavailable)
	}
	a.ages[age], a.marks = true, append(a.marks, after)
	a.batches++
	batch := ops.PurgeBatch{Next: ops.PurgeCursor{Status: relay.StatusFailed, Position: ops.Position{ID: int64(a.batches)}}}
	if a.lasting && a.batches%5 == 0 {
		return batch, nil
	}
	took := min(int64(n), a.events)
	a.events -= took
	batch.Purged, batch.Done = ops.Purged{Events: took, Attempts: 2 * took}, took < int64(n)
	return batch, nil
}

func (a *attic) PurgeAudit(_ context.Context, age time.Duration, n int) (int64, error) {
	a.ages[age] = true
	took := min(int64(n), a.audit)
	a.audit -= took
	return took, nil
}

func (a *attic) PurgeReplays(_ context.Context, age time.Duration, n int) (int64, error) {
	a.ages[age] = true
	took := min(int64(n), a.replays)
	a.replays -= took
	return took, nil
}

func (a *attic) PurgeErasures(_ context.Context, age time.Duration, n int) (int64, error) {
	a.ages[age] = true
	took := min(int64(n), a.erasures)
	a.erasures -= took
	return took, nil
}

func (a *attic) PurgeAttemptStats(_ context.Context, n int) (int64, error) {
	took := min(int64(n), a.counts)
	a.counts -= took
	return took, nil
}

const aDay = 24 * time.Hour

func setupPurge(t *testing.T, a *attic) (*testsuite.TestWorkflowEnvironment, *bytes.Buffer) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	a.ages = map[time.Duration]bool{}
	env.RegisterWorkflow(workflows.PurgeEvents)
	log := &bytes.Buffer{}
	env.RegisterActivity(&activities.Activities{PurgeStore: a, Retention: ops.Retention{Events: 90 * aDay, Audit: 2192 * aDay},
		Log: slog.New(slog.NewTextHandler(log, nil))})
	return env, log
}

func purgeResult(t *testing.T, env *testsuite.TestWorkflowEnvironment) ops.Purged {
	t.Helper()
	env.ExecuteWorkflow(workflows.PurgeEvents)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var got ops.Purged
	require.NoError(t, env.GetWorkflowResult(&got))
	return got
}

func TestPurgeEvents(t *testing.T) {
	t.Parallel()

	t.Run("in batches until no old row is left, and the audit by its own age", func(t *testing.T) {
		t.Parallel()
		a := &attic{events: 1050, audit: 250, replays: 3, erasures: 201, counts: 4001, lasting: true}
		env, log := setupPurge(t, a)
		beats := 0
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			var counts ops.Purged
			require.NoError(t, details.Get(&counts))
			beats++
		})
		require.Equal(t, ops.Purged{Events: 1050, Attempts: 2100, Audit: 250, Replays: 3, Erasures: 201, Counts: 4001}, purgeResult(t, env))
		require.Equal(t, map[time.Duration]bool{90 * aDay: true, 2192 * aDay: true}, a.ages)
		require.Equal(t, 7, a.batches, "six with something old, one that found only what stays")
		require.Zero(t, a.marks[0])
		for i, m := range a.marks[1:] {
			require.Equal(t, int64(i+1), m.ID, "each continues at the end of the last one")
		}
		require.Positive(t, beats)
		require.Contains(t, log.String(), "msg=inbox.purged events=1050 attempts=2100 audit=250 replays=3 erasures=201 counts=4001 more=false")
	})

	t.Run("without old rows the result is empty", func(t *testing.T) {
		t.Parallel()
		env, log := setupPurge(t, &attic{})
		require.Zero(t, purgeResult(t, env))
		require.Empty(t, log.String())
	})

	t.Run("an unavailable database delays it, and its error text stays out of Temporal", func(t *testing.T) {
		t.Parallel()
		a := &attic{events: 300, fails: 3}
		env, log := setupPurge(t, a)
		begin := env.Now()
		require.Equal(t, ops.Purged{Events: 300, Attempts: 600}, purgeResult(t, env))
		require.GreaterOrEqual(t, env.Now().Sub(begin), 30*time.Second)
		require.Equal(t, 3, strings.Count(log.String(), "inbox.purge_failed"))
	})

	t.Run("it fails after five attempts, without the database's error text, and the next hour starts again", func(t *testing.T) {
		t.Parallel()
		env, _ := setupPurge(t, &attic{fails: 100})
		env.ExecuteWorkflow(workflows.PurgeEvents)
		require.ErrorContains(t, env.GetWorkflowError(), string(relay.ReasonDatabaseUnavailable))
		require.NotContains(t, env.GetWorkflowError().Error(), "4711")
	})

	t.Run("the next round continues an unfinished one", func(t *testing.T) {
		t.Parallel()
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet{})
		env := suite.NewTestWorkflowEnvironment()
		env.RegisterWorkflow(workflows.PurgeEvents)
		rounds := 0
		env.RegisterActivityWithOptions(func(context.Context) (activities.PurgeOutput, error) {
			rounds++
			return activities.PurgeOutput{Purged: ops.Purged{Events: 10, Attempts: 20}, More: rounds < 3}, nil
		}, activity.RegisterOptions{Name: "PurgeEvents"})
		require.Equal(t, ops.Purged{Events: 30, Attempts: 60}, purgeResult(t, env))
		require.Equal(t, 3, rounds)
	})
}
