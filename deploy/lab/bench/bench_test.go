package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
)

// TestAScenarioRunsToItsEnd keeps the benchmark working; its numbers mean nothing.
func TestAScenarioRunsToItsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole system")
	}
	r := &run{
		programs: harness.Built(t), dir: t.TempDir(), sizes: sizes{Singles: 3}, progress: t.Logf,
		result: &Result{Title: "rest"}, machine: &Machine{},
	}
	require.NoError(t, rest(t.Context(), r))
	require.Len(t, r.result.Metrics, 7)
	for _, f := range r.result.Metrics {
		require.Positive(t, f.Value, f.Name)
	}
	require.NotEmpty(t, r.machine.Database)
}

func TestALimitedDestinationHoldsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole system")
	}
	r := &run{
		programs: harness.Built(t), dir: t.TempDir(), sizes: sizes{Limited: 200}, progress: t.Logf,
		result: &Result{Title: "limited"}, machine: &Machine{},
	}
	require.NoError(t, limited(t.Context(), r))
	for _, f := range r.result.Metrics {
		if f.Unit == "ms" || f.Unit == "%" {
			continue // that needs a quiet machine
		}
		for _, g := range f.Goals { // tests beside it make waits longer, and a wait has its events: half as many again
			require.LessOrEqual(t, f.Value, 1.5*g.Most, f.Name)
		}
	}
}
