package cmd

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestRoutesAreCached(t *testing.T) {
	t.Parallel()
	read := map[string]int{}
	r := &routes{known: map[string]knownRoute{}, policy: relay.Policy{MaxAttempts: 5}, switches: func(_ context.Context, storefront string) (relay.Switches, error) {
		read[storefront]++
		if storefront == "away" {
			return relay.Switches{}, errors.New("away")
		}
		return relay.Switches{Storefront: relay.Storefront{Active: true}, Platforms: []relay.PlatformSwitch{
			{Code: "meta_capi", PlatformActive: true, CredentialActive: true, HasAdapter: true}, {Code: "ga4", PlatformActive: true, HasAdapter: true},
		}}, nil
	}}
	for range 3 {
		require.Equal(t, []string{"meta_capi"}, r.of(t.Context(), "bosley"))
		require.Empty(t, r.of(t.Context(), "away"))
	}
	require.Equal(t, map[string]int{"bosley": 1, "away": 1}, read)
}
