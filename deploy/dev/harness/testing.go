package harness

import (
	"context"
	"os"
	"sync"
	"testing"
)

var built struct {
	once     sync.Once
	programs Programs
	err      error
}

// Built builds the programs once per test process, the relay with the race detector if the tests run with it.
func Built(tb testing.TB) Programs {
	tb.Helper()
	built.once.Do(func() { built.programs, built.err = Build(context.Background(), BuildOptions{Race: raceEnabled}) })
	if built.err != nil {
		tb.Fatalf("build the programs: %v", built.err)
	}
	return built.programs
}

// New starts a system for one test, or for several that share it, in a folder that is deleted afterwards. Unset fields of c get
// defaults for tests: built programs, no Web UI, attempts 1, 2, 4, ... seconds apart.
func New(tb testing.TB, c Config) *System {
	tb.Helper()
	if len(c.Programs.Dev) == 0 {
		c.Programs = Built(tb)
	}
	if c.Dir == "" {
		c.Dir = tb.TempDir()
	}
	if c.Temporal.UIPort == 0 {
		c.Temporal.UIPort = -1
	}
	if c.Username == "" {
		c.Username, c.Password = "oms", "a password of tests"
	}
	c.Env = append([]string{"RETRY_BACKOFF_BASE=1", "POLL_INTERVAL=100ms"}, c.Env...)
	s, err := Start(tb.Context(), c)
	if err != nil {
		tb.Fatalf("start the system: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop the system: %v", err)
		}
		if tb.Failed() {
			s.showLogs(tb)
		}
	})
	return s
}

// NewRelay starts a relay on the system; the end of the test stops it.
func (s *System) NewRelay(tb testing.TB, o RelayOptions) *Relay {
	tb.Helper()
	r, err := s.StartRelay(tb.Context(), o)
	if err != nil {
		tb.Fatalf("start a relay: %v", err)
	}
	return r
}

func (s *System) showLogs(tb testing.TB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.relays {
		tb.Logf("end of %s:\n%s", r.LogFile(), r.LogTail())
		if race := r.Race(); race != "" {
			tb.Logf("in %s:\n%s", r.LogFile(), race)
		}
	}
	if log, err := os.ReadFile(s.Temporal.LogFile()); err == nil && len(log) > 0 {
		tb.Logf("end of %s:\n%s", s.Temporal.LogFile(), s.Temporal.LogTail())
	}
}
