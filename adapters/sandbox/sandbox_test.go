package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/sandbox"
	"relay/internal/relay"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, sandbox.Adapter{})
}

func TestCheckRequiresAnAbsoluteURL(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "sandbox", "/platform", "http://", "http://a b"} {
		require.ErrorContains(t, sandbox.Adapter{}.Check(relay.Destination{Settings: map[string]string{"base_url": u}}), "base_url: ", u)
	}
	require.NoError(t, sandbox.Adapter{}.Check(relay.Destination{Settings: map[string]string{"base_url": "http://127.0.0.1:9000"}}))
}
