package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/activities"
)

func TestTheLaneLimitsItsAttempts(t *testing.T) {
	t.Parallel()
	lane := &activities.Lane{}
	var leave []func()
	enter := func(storefront int64) string {
		done, why := lane.Enter(storefront, "a")
		if why == "" {
			leave = append(leave, done)
		}
		return why
	}
	for range 64 {
		require.Empty(t, enter(1))
	}
	require.NotEmpty(t, enter(1), "the limit of one storefront")
	for i := range int64(512 - 64) {
		require.True(t, lane.HasRoom())
		require.Empty(t, enter(2+i/64))
	}
	require.NotEmpty(t, enter(99), "the limit of the process")
	require.False(t, lane.HasRoom())
	for _, f := range leave {
		f()
	}
	require.Empty(t, enter(1))

	for i := range 32 {
		lane.Observe(5, "a", time.Duration(i)*time.Millisecond)
	}
	for range 3 {
		lane.Observe(5, "a", 5*time.Second)
		require.Empty(t, enter(5), "one in ten may take long")
	}
	lane.Observe(5, "a", 5*time.Second)
	require.NotEmpty(t, enter(5))
	done, why := lane.Enter(5, "b")
	require.Empty(t, why, "another destination of the storefront")
	done()
}
