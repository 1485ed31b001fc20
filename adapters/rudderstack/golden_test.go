package rudderstack_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/rudderstack"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, rudderstack.Adapter{})
}
