package cmd

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheWorkersShareTheEagerStarts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ workers, shards, of, eager int }{
		{0, 1, 12, 12}, // nothing is known of others yet
		{1, 1, 12, 12},
		{2, 1, 12, 6},
		{3, 1, 12, 4},
		{3, 2, 12, 8},
		{2, 2, 12, 12},
		{2, 5, 12, 12},
	} {
		l := newLimiter(nil, time.Second, c.shards)
		l.workers.Store(int64(c.workers))
		got := 0
		for range c.of {
			if l.eager() {
				got++
			}
		}
		require.Equal(t, c.eager, got, "%d workers, %d pollers", c.workers, c.shards)
	}
}
