package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestLimitsAreTheCredentialsElseThePlatforms(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, acme := f.storefront("bosley"), f.storefront("acme")
	for storefront, own := range map[int64]relay.Limits{bosley: {}, acme: {InFlight: 3}} {
		require.NoError(t, f.PutCredential(t.Context(), storefront, ops.Credential{Platform: "meta_capi", Active: true, Options: relay.Options{Limits: own}}))
	}
	limits := func(storefront int64) relay.Limits {
		id := f.direct(f.text("SELECT UUID()"), storefront)
		f.taken(id, "run")
		d, err := f.Delivery(t.Context(), id, "run", "meta_capi")
		require.NoError(t, err)
		return d.Destination.Options.Limits
	}
	require.Zero(t, limits(bosley))
	require.Equal(t, relay.Limits{InFlight: 3}, limits(acme))

	f.exec(`UPDATE ad_analytics_platforms SET limits = '{"in_flight":20,"per_second":50}' WHERE code = 'meta_capi'`)
	require.Equal(t, relay.Limits{InFlight: 20, PerSecond: 50}, limits(bosley))
	require.Equal(t, relay.Limits{InFlight: 3, PerSecond: 50}, limits(acme))
}
