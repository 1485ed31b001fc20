package checks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"relay/api"
)

// TestTheMemoryOfAnAPIIsEnoughForTheBodiesInFlight compares the manifests with the default of MAX_BODIES_BYTES: a body costs
// up to six times its size, and an idle process a hundred megabytes.
func TestTheMemoryOfAnAPIIsEnoughForTheBodiesInFlight(t *testing.T) {
	t.Parallel()
	const need = 6*api.DefaultMaxBodies + 100<<20
	c, _ := readCompose(t)
	composed := c.Services["api"]
	for name, limit := range map[string]struct{ hard, soft string }{
		"kubernetes": func() struct{ hard, soft string } {
			pod := get[*appsv1.Deployment](t, render(t, base), "Deployment/relay-api").Spec.Template.Spec.Containers[0]
			return struct{ hard, soft string }{pod.Resources.Limits.Memory().String(), pod.Env[0].Value}
		}(),
		"compose": {strings.Replace(composed.MemLimit, "m", "Mi", 1), *composed.Environment["GOMEMLIMIT"]},
	} {
		hard, err := resource.ParseQuantity(limit.hard)
		require.NoError(t, err, name)
		soft, err := resource.ParseQuantity(strings.TrimSuffix(limit.soft, "B"))
		require.NoError(t, err, name)
		require.GreaterOrEqual(t, soft.Value(), int64(need), name)
		require.InDelta(t, 0.9, soft.AsApproximateFloat64()/hard.AsApproximateFloat64(), 0.03, name)
	}
}
