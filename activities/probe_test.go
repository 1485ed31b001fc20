package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
)

// clinic is a health store with unhealthy destinations whose probe is due.
type clinic struct {
	activities.HealthStore
	due      []relay.UnhealthyDestination
	looks    int
	switches relay.Switches
	fails    error
	probed   []relay.Place
	next     []time.Duration
}

func (c *clinic) DueProbes(context.Context, time.Duration) ([]relay.UnhealthyDestination, error) {
	c.looks++
	return c.due, c.fails
}

func (c *clinic) StorefrontSwitches(_ context.Context, id, _ int64, _ int) ([]relay.Switches, error) {
	c.switches.Storefront.ID = id
	return []relay.Switches{c.switches}, nil
}

func (c *clinic) StartProbe(_ context.Context, p relay.Place, now bool, next time.Duration, _ ...ops.AuditEntry) (int64, error) {
	if now {
		return 0, errors.New("the relay's own probes wait until they are due")
	}
	c.probed, c.next = append(c.probed, p), append(c.next, next)
	return 7, nil
}

func TestTheProberProbesUnhealthyDestinations(t *testing.T) {
	t.Parallel()
	sick := func(destination string, probes int) relay.UnhealthyDestination {
		return relay.UnhealthyDestination{Place: relay.Place{StorefrontID: 5, Destination: destination}, Health: relay.Health{Unhealthy: true, Probes: probes}}
	}
	on := relay.Switches{
		Storefront: relay.Storefront{Active: true},
		Platforms: []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true},
			{Code: "ga4", PlatformActive: true}, {Code: "other", PlatformActive: true, CredentialActive: true}},
	}
	for _, tc := range []struct {
		name     string
		due      []relay.UnhealthyDestination
		switches relay.Switches
		fails    error
		probed   []string
		next     []time.Duration
	}{
		{name: "nothing that is well", switches: on},
		{name: "what is due, at growing intervals", due: []relay.UnhealthyDestination{sick("meta", 0), sick("meta", 1)}, switches: on,
			probed: []string{"meta", "meta"}, next: []time.Duration{30 * time.Second, time.Minute}},
		{name: "no destination that is switched off", due: []relay.UnhealthyDestination{sick("ga4", 0)}, switches: on},
		{name: "no destination that the relay does not speak to", due: []relay.UnhealthyDestination{sick("other", 0)}, switches: on},
		{name: "no platform behind a container", due: []relay.UnhealthyDestination{sick("meta", 0), sick(relay.SGTM, 0)},
			switches: relay.Switches{Storefront: on.Storefront, Platforms: on.Platforms, SGTM: &relay.SGTMSwitch{Active: true}},
			probed:   []string{relay.SGTM}, next: []time.Duration{30 * time.Second}},
		{name: "nothing while the database is away", due: []relay.UnhealthyDestination{sick("meta", 0)}, switches: on, fails: relay.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := &clinic{due: tc.due, switches: tc.switches, fails: tc.fails}
			p := activities.NewProber(&activities.Activities{
				Health:   c,
				Adapters: map[string]relay.Adapter{relay.SGTM: nil, "meta": nil, "ga4": nil},
				Policy:   relay.Policy{MaxAttempts: 5, Base: time.Minute},
				Log:      slog.New(slog.DiscardHandler),
			})
			p.Look(t.Context())
			var destinations []string
			for _, place := range c.probed {
				require.EqualValues(t, 5, place.StorefrontID)
				destinations = append(destinations, place.Destination)
			}
			require.Equal(t, tc.probed, destinations)
			require.Equal(t, tc.next, c.next)
			for _, platform := range tc.switches.Platforms {
				require.False(t, platform.HasAdapter, "the switches are shared with others: they are marked in a copy")
			}
		})
	}
}

func TestTheProberReadsTheDatabaseOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &clinic{}
		p := activities.NewProber(&activities.Activities{Health: c, Log: slog.New(slog.DiscardHandler)})
		for range 100 {
			p.Look(t.Context())
			time.Sleep(50 * time.Millisecond) // of the test's own clock
		}
		require.Equal(t, 5, c.looks)
	})
}
