package checks_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"

	"relay/api"
)

// memory is what one process is allowed. Go says MiB where Kubernetes says Mi and Compose says m.
type memory struct{ Request, Limit, Soft string }

func bytesOf(t *testing.T, text string) float64 {
	t.Helper()
	q, err := resource.ParseQuantity(strings.NewReplacer("MiB", "Mi", "m", "Mi").Replace(text))
	require.NoError(t, err, text)
	return q.AsApproximateFloat64()
}

// documented returns the table of docs/SIZING.md.
func documented(t *testing.T) map[string]memory {
	t.Helper()
	all := map[string]memory{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| (\\w+) \\| (\\w+) \\| (\\w+MiB) \\|").FindAllStringSubmatch(readText(t, "docs/SIZING.md"), -1) {
		all[m[1]] = memory{m[2], m[3], m[4]}
	}
	return all
}

func TestTheMemoryOfTheContainersIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	want := documented(t)
	require.Len(t, want, 3)
	for name, pod := range pods(t, render(t, base)) {
		c := pod.Spec.Containers[0]
		got := memory{c.Resources.Requests.Memory().String(), c.Resources.Limits.Memory().String(), c.Env[0].Value}
		require.Equal(t, want[name], got, name)
	}
	c, _ := readCompose(t)
	for _, name := range []string{"api", "worker"} {
		s := c.Services[name]
		require.InDelta(t, bytesOf(t, want[name].Limit), bytesOf(t, s.MemLimit), 0, name)
		require.Equal(t, want[name].Soft, *s.Environment["GOMEMLIMIT"], name)
	}
}

// TestTheDocumentedMemoryIsEnough computes the column "enough for", with what an idle process needs.
func TestTheDocumentedMemoryIsEnough(t *testing.T) {
	t.Parallel()
	const (
		idle     = 100 << 20
		attempts = 2000
		item     = 64 << 10 // and as much of a response
	)
	all := documented(t)
	require.GreaterOrEqual(t, bytesOf(t, all["api"].Soft), float64(idle+6*api.DefaultMaxBodies))
	require.GreaterOrEqual(t, bytesOf(t, all["worker"].Soft), float64(idle+attempts*2*item*3))
	for name, m := range all {
		require.InDelta(t, 0.9, bytesOf(t, m.Soft)/bytesOf(t, m.Limit), 0.03, name)
		require.Less(t, bytesOf(t, m.Request), bytesOf(t, m.Limit), name)
	}
}
