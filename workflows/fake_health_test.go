package workflows_test

import (
	"context"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

func (s *store) RecordFailure(_ context.Context, _ int64, _ string, f relay.Failure) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.health.Failures++; s.health.Failures == 1 {
		s.health.Since = s.now()
	}
	lasted := s.health.Failures >= relay.UnhealthyAfter && s.now().Sub(s.health.Since) >= f.Lasted
	s.health.Unhealthy = s.health.Unhealthy || f.Down || lasted
	s.health.Reason, s.health.Status = f.Reason, f.Status
	return nil
}

func (s *store) RecordSuccess(context.Context, int64, string) (int64, error) {
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	was := s.health
	s.health = relay.Health{}
	if !was.Unhealthy {
		return 0, nil
	}
	return 7, nil
}

func (s *store) Probe(context.Context, int64, string, time.Duration) (bool, error) {
	unlock, err := s.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	s.probes--
	return s.probes >= 0, nil
}

func (s *store) DueProbes(context.Context, time.Duration) ([]relay.UnhealthyDestination, error) {
	return nil, nil
}

func (s *store) StartProbe(context.Context, relay.Place, bool, time.Duration, ...ops.AuditEntry) (int64, error) {
	return 0, nil
}

func (s *store) StorefrontSwitches(context.Context, int64, int64, int) ([]relay.Switches, error) {
	return nil, nil
}

func (s *store) StartReplay(_ context.Context, id int64) error {
	s.replays = append(s.replays, id)
	return nil
}
