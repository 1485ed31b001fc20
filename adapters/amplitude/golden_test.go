package amplitude_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/amplitude"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, amplitude.Adapter{})
}
