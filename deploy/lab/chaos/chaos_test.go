package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/dbtest"
	"relay/deploy/dev/harness"
	"relay/deploy/lab/chaos"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// The short form of make chaos: every part is killed at least once, at moments that change from run to run. The seed is in
// the message of a failure; "dev chaos --rounds 1 --seed N" makes the same choices.
func TestNoEventIsLostWhenPartsAreKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	report, err := chaos.Run(t.Context(), chaos.Options{
		Programs: harness.Built(t), Dir: t.TempDir(), Rounds: 1, Kills: 10, Events: 300, For: 20 * time.Second,
	})
	t.Log("\n" + report.String())
	require.NoError(t, err)
	v := report.Rounds[0].Verdict
	require.GreaterOrEqual(t, v.Accepted, 290)
	require.Zero(t, v.Lost())
	require.Len(t, report.Kinds(), 6, "API, worker, both in one process, database, its permission to write, Temporal")
}
