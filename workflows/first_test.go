package workflows_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/mock" //nolint:depguard // the SDK shows upserts by no other way
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
	"relay/workflows"
)

// executions counts the executions of Deliver, which are regular activities.
func (b *bundle) executions() *atomic.Int32 {
	var n atomic.Int32
	b.SetOnActivityStartedListener(func(i *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if i.ActivityType.Name == "Deliver" {
			n.Add(1)
		}
	})
	return &n
}

func platform(code string) relay.PlatformSwitch {
	return relay.PlatformSwitch{Code: code, PlatformActive: true, CredentialActive: true}
}

func TestTheFirstAttemptsRunInTheFirstWorkflowTask(t *testing.T) {
	t.Parallel()

	t.Run("all destinations accept: there is no activity", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM = nil
		b.store.switches.Platforms = []relay.PlatformSwitch{platform("ga4"), platform("meta")}
		n := b.executions()
		require.NoError(t, b.run(t))
		require.Zero(t, n.Load())
		require.Equal(t, 2, b.sender.sent)
		require.Equal(t, relay.StatusDelivered, b.store.status)
	})

	t.Run("one fails: its activity waits for the backoff, and counts the attempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM = nil
		b.store.switches.Platforms = []relay.PlatformSwitch{platform("ga4"), platform("meta")}
		b.sender.byHost = map[string]relay.Response{"meta": {Status: 500}}
		n := b.executions()
		begin := b.Now()
		require.Error(t, b.run(t))
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("ga4"))
		require.Len(t, b.store.outcomes("meta"), 5)
		require.EqualValues(t, 5, n.Load(), "the first of them sends nothing")
		require.Equal(t, 6, b.sender.sent)
		took := b.sender.last.Sub(begin)
		require.GreaterOrEqual(t, took, 15*time.Minute)
		require.LessOrEqual(t, took, 17*time.Minute)
	})

	t.Run("without room every attempt is an activity", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.activities.Lane = nil
		b.sender.replies = []relay.Response{{Status: 503}}
		n := b.executions()
		require.NoError(t, b.run(t))
		require.EqualValues(t, 2, n.Load())
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, b.store.outcomes(relay.SGTM))
	})

	t.Run("a repeated task of an ended event returns the event's result", func(t *testing.T) {
		t.Parallel()
		for _, status := range []relay.Status{relay.StatusDelivered, relay.StatusFailed} {
			b := setup(t)
			b.store.status, b.store.owner = status, ""
			b.store.conclusion = relay.EventOutcome{Status: status, Reason: relay.ReasonBadRequest, Detail: "as stored"}
			err := b.run(t)
			require.Zero(t, b.sender.sent)
			if status == relay.StatusFailed {
				require.ErrorContains(t, err, "as stored")
				continue
			}
			require.NoError(t, err)
			var text string
			require.NoError(t, b.GetWorkflowResult(&text))
			require.Equal(t, "delivered; as stored", text)
		}
	})

	t.Run("a task repeated after a kill with a request on the wire", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.attempts = []relay.Attempt{{AttemptID: "lost", Destination: relay.SGTM, Number: 1, Result: relay.Result{Outcome: relay.Sending}}}
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.Equal(t, 1, b.sender.sent)
		require.Equal(t, []relay.Outcome{relay.Sending, relay.Accepted}, b.store.outcomes(relay.SGTM))
		require.GreaterOrEqual(t, b.sender.last.Sub(begin), time.Minute, "the next attempt follows the schedule")
	})
}

// tags counts the upserts of a run that starts with these destinations, and returns its destinations at its end.
func (b *bundle) tags(t *testing.T, start []string) (upserts int, end []string) {
	t.Helper()
	set := start
	if start != nil {
		require.NoError(t, b.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(workflows.Destinations.ValueSet(start))))
	}
	b.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		upserts++
		set, _ = args.Get(0).(temporal.SearchAttributes).GetKeywordList(workflows.Destinations)
	})
	b.ExecuteWorkflow(workflows.DeliverEvent, workflows.DeliverInput{ID: 1, Searchable: true})
	require.True(t, b.IsWorkflowCompleted())
	return upserts, set
}

func TestDestinationsAreUpdatedOnlyIfTheRouteDiffers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start   []string
		given   func(*bundle)
		upserts int
		end     []string
	}{
		"as at the start":          {[]string{"sgtm"}, func(*bundle) {}, 0, []string{"sgtm"}},
		"unknown at the start":     {nil, func(*bundle) {}, 1, []string{"sgtm"}},
		"switched on since":        {[]string{"ga4", "meta"}, func(*bundle) {}, 1, []string{"sgtm"}},
		"switched off since":       {[]string{"sgtm"}, func(b *bundle) { b.store.switches.Storefront.Active = false }, 1, nil},
		"attempted more than once": {[]string{"sgtm"}, func(b *bundle) { b.sender.replies = []relay.Response{{Status: 503}} }, 0, []string{"sgtm"}},
		"by an older release":      {[]string{"sgtm"}, func(b *bundle) { b.activities.Lane = nil }, 1, []string{"sgtm"}},
		"rerouted after an attempt": {[]string{"sgtm"}, func(b *bundle) {
			b.store.switches.Platforms = []relay.PlatformSwitch{platform("meta")}
			b.sender.replies = []relay.Response{{Status: 503}}
			b.sender.after = func() { b.store.switches.SGTM.Active = false }
		}, 1, []string{"meta"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.given(b)
			upserts, end := b.tags(t, c.start)
			require.Equal(t, c.upserts, upserts)
			require.Equal(t, c.end, end)
		})
	}
}
