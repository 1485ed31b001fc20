package relay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestProbesComeAtGrowingIntervals(t *testing.T) {
	t.Parallel()
	p := relay.Policy{MaxAttempts: 5, Base: time.Minute}
	delays := func(reason relay.Reason) []time.Duration {
		var list []time.Duration
		for n := range 8 {
			list = append(list, p.ProbeDelay(n, reason)/time.Second)
		}
		return list
	}
	require.Equal(t, []time.Duration{15, 30, 60, 60, 60, 60, 60, 60}, delays(relay.ReasonServerError))
	require.Equal(t, []time.Duration{15, 30, 60, 120, 240, 480, 960, 960}, delays(relay.ReasonUnauthorized))
	require.Equal(t, time.Minute, p.ProbeDelay(1<<30, relay.ReasonTimeout))
}

func TestRetriesShortenTheTimeThatCountsAsLasting(t *testing.T) {
	t.Parallel()
	p := relay.Policy{MaxAttempts: 5, Base: time.Minute}
	require.Equal(t, 4*time.Minute, p.Lasting(0))
	require.Equal(t, time.Minute, p.Lasting(1))
	require.Equal(t, time.Minute, p.Lasting(4))
	require.Equal(t, time.Minute, relay.Policy{MaxAttempts: 1, Base: time.Minute}.Lasting(0), "without retries there is no other sign")
}

func TestTheStateOfHealth(t *testing.T) {
	t.Parallel()
	require.Equal(t, relay.Healthy, relay.Health{}.State())
	require.Equal(t, relay.Failing, relay.Health{Failures: 1}.State())
	require.Equal(t, relay.Unhealthy, relay.Health{Failures: 1, Unhealthy: true}.State())
}
