package googleads_test

import (
	"testing"

	"relay/adapters/adaptertest"
	googleads "relay/adapters/google_ads"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, googleads.Adapter{})
}
