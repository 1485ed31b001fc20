package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStartsInFlightAdaptToTheLatencyOfTemporal(t *testing.T) {
	t.Parallel()
	p := newStartLimiter()
	starts := func(n int, took time.Duration) {
		for range n {
			p.enter()
			p.leave(took)
		}
	}
	require.Equal(t, minStarts, p.limit)
	starts(100, 5*time.Millisecond)
	require.Equal(t, maxStarts, p.limit)
	starts(1, time.Second)
	require.Equal(t, maxStarts/2, p.limit)
	starts(10, time.Second)
	require.Equal(t, minStarts, p.limit, "never zero")
	starts(minStarts, 5*time.Millisecond)
	require.Equal(t, minStarts+1, p.limit)
}

func TestAStartWaitsForASlot(t *testing.T) {
	t.Parallel()
	p := newStartLimiter()
	for range minStarts {
		p.enter()
	}
	entered := make(chan struct{})
	go func() {
		p.enter()
		close(entered)
	}()
	select {
	case <-entered:
		t.Fatal("there was no place")
	case <-time.After(20 * time.Millisecond):
	}
	p.leave(time.Second)
	<-entered
}
