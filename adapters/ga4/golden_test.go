package ga4_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/ga4"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, ga4.Adapter{})
}
