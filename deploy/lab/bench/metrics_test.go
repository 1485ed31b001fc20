package bench

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantilesAreValuesThatWereMeasured(t *testing.T) {
	t.Parallel()
	took := []time.Duration{4, 1, 3, 2}
	require.Equal(t, time.Duration(2), median(took))
	require.Equal(t, time.Duration(4), quantile(took, 0.99))
	require.Equal(t, []time.Duration{4, 1, 3, 2}, took, "the order stays")
	require.Zero(t, median([]float64(nil)))
}

func TestAMetricIsJudgedByItsGoals(t *testing.T) {
	t.Parallel()
	var r Result
	r.add("ratio", 0.75432, "×", atLeast(0.7), atLeast(0.8))
	r.add("p50", 99, "ms", atMost(100))
	require.InDelta(t, 0.7543, r.Metrics[0].Value, 1e-9)
	require.True(t, r.Metrics[0].Goals[0].Met)
	require.False(t, r.Metrics[0].Goals[1].Met)
	require.True(t, r.Metrics[1].Goals[0].Met)
	require.Contains(t, r.text(), "≥ 0.70, ≥ 0.80 missed")
}

func TestTheReportIsWrittenForPeopleAndForPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := Report{Machine: Machine{Cores: 2}, Results: []Result{{Title: "Drain", Metrics: []Metric{{Name: "rate", Value: 0.9, Unit: "×"}}}}}
	require.NoError(t, r.write(dir))
	for file, part := range map[string]string{"benchmarks.json": `"rate"`, "BENCHMARKS.md": "| rate | 0.90 × |"} {
		text, err := os.ReadFile(dir + "/" + file)
		require.NoError(t, err)
		require.Contains(t, string(text), part)
	}
}

func TestAScenarioThatIsRunByItselfReplacesItsPartOfTheReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(cores int, names ...string) string {
		r := Report{Machine: Machine{Cores: cores, Revision: names[0]}}
		for _, name := range names {
			r.Results = append(r.Results, Result{Scenario: name, Title: name, Revision: names[0]})
		}
		require.NoError(t, r.write(dir))
		text, err := os.ReadFile(dir + "/BENCHMARKS.md")
		require.NoError(t, err)
		return string(text)
	}
	write(2, "drain", "rest")
	both := write(2, "rest")
	require.Regexp(t, `(?s)## drain.*revision drain.*## rest.*revision rest`, both)
	r := Report{Machine: Machine{Cores: 2}}
	for _, name := range []string{"drain", "rest"} { // as a run writes, after each
		r.Results = append(r.Results, Result{Scenario: name, Title: name, Revision: "newest"})
		require.NoError(t, r.write(dir))
	}
	text, err := os.ReadFile(dir + "/BENCHMARKS.md")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(text), "revision newest"))
	require.Equal(t, 2, strings.Count(string(text), "## "), "each is there once")
	require.NotContains(t, write(4, "rest"), "## drain", "another machine's metrics do not belong into one table")
}

func TestProcessesAreMetered(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		_ = make([]byte, 1<<10) // uses time
	}
	cpu, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, cpu)
	mib, err := residentOf(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, mib, 1.0)
}
