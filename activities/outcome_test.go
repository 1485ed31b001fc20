package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"relay/activities"
	"relay/internal/relay"
)

func TestEveryOutcomeHasOneTranslationForTemporal(t *testing.T) {
	t.Parallel()
	const output, again, final = "output", "retryable", "final"
	for o, want := range map[relay.Outcome]string{
		relay.Accepted:     output,
		relay.Blocked:      output,
		relay.Skipped:      output,
		relay.Lost:         output,
		relay.NotSent:      output,
		relay.Retry:        again,
		relay.Rejected:     final,
		relay.Unauthorized: final,
		relay.Exhausted:    final,
	} {
		end := relay.DeliveryResult{Destination: relay.SGTM, Outcome: o, Reason: relay.ReasonServerError, Status: 503}
		out, err := activities.Translate(end, time.Minute, nil)
		if want == output {
			require.NoError(t, err, o)
			require.Equal(t, activities.DeliverOutput{End: end, Wait: time.Minute}, out)
		} else {
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app, o)
			require.Equal(t, want == final, app.NonRetryable(), o)
			carried, ok := activities.EndOf(err)
			require.True(t, ok)
			require.Equal(t, end, carried)
			if want == again {
				require.Equal(t, time.Minute, app.NextRetryDelay())
			}
		}
		unrecorded := []relay.AttemptEnd{{AttemptID: "a", Result: relay.Result{Outcome: o}}}
		out, err = activities.Translate(end, time.Minute, unrecorded)
		require.NoError(t, err, "the workflow writes the unrecorded result first: %s", o)
		require.Equal(t, activities.DeliverOutput{End: end, Wait: time.Minute, Unrecorded: unrecorded}, out)
	}
}
