package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStartsInFlightFollowWhatTemporalTakes(t *testing.T) {
	t.Parallel()
	p := newPace()
	starts := func(n int, took time.Duration) {
		for range n {
			p.enter()
			p.leave(took)
		}
	}
	require.Equal(t, fewestStarts, p.limit)
	starts(100, 5*time.Millisecond)
	require.Equal(t, mostStarts, p.limit)
	starts(1, time.Second)
	require.Equal(t, mostStarts/2, p.limit)
	starts(10, time.Second)
	require.Equal(t, fewestStarts, p.limit, "never none")
	starts(fewestStarts, 5*time.Millisecond)
	require.Equal(t, fewestStarts+1, p.limit)
}

func TestAStartWaitsForItsPlace(t *testing.T) {
	t.Parallel()
	p := newPace()
	for range fewestStarts {
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
