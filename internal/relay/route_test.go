package relay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

var policy = relay.Policy{MaxAttempts: 5, Base: time.Minute}

// allOn is a storefront with a container and two platforms, everything switched on.
func allOn() relay.Switches {
	return relay.Switches{
		Storefront: relay.Storefront{Code: "bosley", Active: true},
		SGTM:       &relay.SGTMSwitch{Active: true},
		Platforms: []relay.PlatformSwitch{
			{Code: "tiktok", PlatformActive: true, CredentialActive: true, HasAdapter: true},
			{Code: "meta_capi", PlatformActive: true, CredentialActive: true, HasAdapter: true},
		},
		Attempts: map[string]relay.AttemptSummary{},
	}
}

// noContainer is allOn without the container.
func noContainer() relay.Switches {
	s := allOn()
	s.SGTM = nil
	return s
}

func target(destination string, made int) relay.Target {
	return relay.Target{Destination: destination, Made: made, Left: policy.MaxAttempts - made}
}

func TestRouteReadsTheFourSwitchesFromTheStorefrontDown(t *testing.T) {
	t.Parallel()
	direct := []relay.Target{target("meta_capi", 0), target("tiktok", 0)}
	for name, c := range map[string]struct {
		flip func(*relay.Switches)
		want relay.Route
	}{
		"everything on routes to sGTM alone": {func(*relay.Switches) {},
			relay.Route{Targets: []relay.Target{target(relay.SGTM, 0)}}},
		"a storefront that is off has no targets": {func(s *relay.Switches) { s.Storefront.Active = false },
			relay.Route{Reason: relay.ReasonStorefrontDisabled}},
		"no container means the platforms, by their codes": {func(s *relay.Switches) { s.SGTM = nil },
			relay.Route{Targets: direct}},
		"a container that is off falls back to the platforms": {func(s *relay.Switches) { s.SGTM.Active = false },
			relay.Route{Targets: direct, Disabled: []relay.Disabled{{Destination: relay.SGTM, Reason: relay.ReasonSGTMDisabled}}}},
		"a container that is off and set to stop has no targets": {func(s *relay.Switches) { *s.SGTM = relay.SGTMSwitch{Stop: true} },
			relay.Route{Reason: relay.ReasonSGTMStop, Disabled: []relay.Disabled{{Destination: relay.SGTM, Reason: relay.ReasonSGTMStop}}}},
		"stop has no effect while the container is on": {func(s *relay.Switches) { s.SGTM.Stop = true },
			relay.Route{Targets: []relay.Target{target(relay.SGTM, 0)}}},
		"a platform that is off for everybody is left out": {func(s *relay.Switches) { s.SGTM = nil; s.Platforms[0].PlatformActive = false },
			relay.Route{Targets: direct[:1], Disabled: []relay.Disabled{{Destination: "tiktok", Reason: relay.ReasonPlatformDisabled}}}},
		"a credential that is off is left out": {func(s *relay.Switches) { s.SGTM = nil; s.Platforms[1].CredentialActive = false },
			relay.Route{Targets: direct[1:], Disabled: []relay.Disabled{{Destination: "meta_capi", Reason: relay.ReasonCredentialDisabled}}}},
		"a platform without an adapter is left out": {func(s *relay.Switches) { s.SGTM = nil; s.Platforms[0].HasAdapter = false },
			relay.Route{Targets: direct[:1], Disabled: []relay.Disabled{{Destination: "tiktok", Reason: relay.ReasonNoAdapter}}}},
		"of two switches that are off the higher one is named": {func(s *relay.Switches) { s.SGTM = nil; s.Platforms[0] = relay.PlatformSwitch{Code: "tiktok"} },
			relay.Route{Targets: direct[:1], Disabled: []relay.Disabled{{Destination: "tiktok", Reason: relay.ReasonPlatformDisabled}}}},
		"everything off lists the switches with their level": {
			func(s *relay.Switches) {
				s.SGTM.Active, s.Platforms[0].PlatformActive, s.Platforms[1].CredentialActive = false, false, false
			},
			relay.Route{Reason: relay.ReasonNoActiveDestination, Disabled: []relay.Disabled{{Destination: relay.SGTM, Reason: relay.ReasonSGTMDisabled},
				{Destination: "meta_capi", Reason: relay.ReasonCredentialDisabled}, {Destination: "tiktok", Reason: relay.ReasonPlatformDisabled}}}},
		"without configuration there are no targets": {func(s *relay.Switches) { s.SGTM, s.Platforms = nil, nil },
			relay.Route{Reason: relay.ReasonNoActiveDestination}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := allOn()
			c.flip(&s)
			c.want.Base = time.Minute
			require.Equal(t, c.want, relay.Resolve(s, policy))
		})
	}
}

func TestRouteOmitsDestinationsThatAcceptedTheEvent(t *testing.T) {
	t.Parallel()
	t.Run("a platform that accepted it is not a target, the other is", func(t *testing.T) {
		t.Parallel()
		s := noContainer()
		s.Attempts["meta_capi"] = relay.AttemptSummary{Made: 2, Accepted: true}
		s.Attempts["tiktok"] = relay.AttemptSummary{Made: 3}
		r := relay.Resolve(s, policy)
		require.Equal(t, []relay.Target{target("tiktok", 3)}, r.Targets)
		require.Equal(t, []string{"meta_capi"}, r.Accepted)
	})
	t.Run("no target is left, without a reason", func(t *testing.T) {
		t.Parallel()
		s := noContainer()
		s.Attempts["tiktok"], s.Attempts["meta_capi"] = relay.AttemptSummary{Accepted: true}, relay.AttemptSummary{Accepted: true}
		r := relay.Resolve(s, policy)
		require.Equal(t, relay.Route{Base: time.Minute, Accepted: []string{"meta_capi", "tiktok"}}, r)
		require.Equal(t, relay.StatusDelivered, relay.Conclude(r, nil).Status)
	})
	t.Run("a container that accepted it leaves no target, even switched off", func(t *testing.T) {
		t.Parallel()
		s := allOn()
		s.SGTM.Active = false
		s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: 1, Accepted: true}
		r := relay.Resolve(s, policy)
		require.Empty(t, r.Targets)
		require.Empty(t, r.Reason)
		require.Equal(t, []string{relay.SGTM}, r.Accepted)
	})
	t.Run("acceptances count also after the storefront was switched off", func(t *testing.T) {
		t.Parallel()
		s := noContainer()
		s.Storefront.Active = false
		s.Attempts["tiktok"] = relay.AttemptSummary{Made: 1, Accepted: true}
		r := relay.Resolve(s, policy)
		require.Equal(t, relay.ReasonStorefrontDisabled, r.Reason)
		require.Equal(t, relay.StatusDelivered, relay.Conclude(r, nil).Status)
	})
}

func TestRouteShowsADestinationWithoutAttemptsLeft(t *testing.T) {
	t.Parallel()
	t.Run("a container is a target with none left", func(t *testing.T) {
		t.Parallel()
		s := allOn()
		s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: 7}
		require.Equal(t, []relay.Target{{Destination: relay.SGTM, Made: 7, Left: 0}}, relay.Resolve(s, policy).Targets)
	})
	t.Run("a container with failover is replaced by the platforms", func(t *testing.T) {
		t.Parallel()
		s := allOn()
		s.SGTM.DirectOnExhausted = true
		s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: 4}
		require.Equal(t, []relay.Target{target(relay.SGTM, 4)}, relay.Resolve(s, policy).Targets)
		s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: 5}
		r := relay.Resolve(s, policy)
		require.Equal(t, []relay.Target{target("meta_capi", 0), target("tiktok", 0)}, r.Targets)
		require.Equal(t, []relay.Disabled{{Destination: relay.SGTM, Reason: relay.ReasonExhausted}}, r.Disabled)
	})
	t.Run("a container that fails over to no platform has no targets", func(t *testing.T) {
		t.Parallel()
		s := allOn()
		s.SGTM.DirectOnExhausted, s.Platforms = true, nil
		s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: 5}
		require.Equal(t, relay.ReasonNoActiveDestination, relay.Resolve(s, policy).Reason)
	})
}

func TestRouteFindsOneDestination(t *testing.T) {
	t.Parallel()
	s := allOn()
	s.SGTM.Active, s.Platforms[0].PlatformActive = false, false
	r := relay.Resolve(s, policy)
	l, ok := r.Target("meta_capi")
	require.True(t, ok)
	require.Equal(t, target("meta_capi", 0), l)
	_, ok = r.Target("tiktok")
	require.False(t, ok)
	require.Equal(t, relay.ReasonPlatformDisabled, r.BlockedBy("tiktok"))
	require.Equal(t, relay.ReasonSGTMDisabled, r.BlockedBy(relay.SGTM))
	require.Equal(t, relay.ReasonDestinationGone, r.BlockedBy("snapchat"), "a credential that was deleted")
	s.Storefront.Active = false
	require.Equal(t, relay.ReasonStorefrontDisabled, relay.Resolve(s, policy).BlockedBy("meta_capi"))
	require.Equal(t, relay.ReasonDestinationGone, relay.Resolve(allOn(), policy).BlockedBy("meta_capi"), "sGTM replaces it")
}

func TestResolveDoesNotChangeItsInput(t *testing.T) {
	t.Parallel()
	s := noContainer()
	relay.Resolve(s, policy)
	require.Equal(t, noContainer(), s)
}

func TestDelaysDoubleFromTheBaseUpToADay(t *testing.T) {
	t.Parallel()
	var all time.Duration
	for n, want := range []time.Duration{60, 120, 240, 480} {
		require.Equal(t, want*time.Second, policy.Delay(n+1))
		all += policy.Delay(n + 1)
	}
	require.Equal(t, 15*time.Minute, all)
	require.Equal(t, 24*time.Hour, policy.Delay(12))
	require.Equal(t, 24*time.Hour, policy.Delay(1_000_000), "and never overflow")
	require.Equal(t, 24*time.Hour, relay.Policy{Base: 48 * time.Hour}.Delay(1))
}
