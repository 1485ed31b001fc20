package pinterest_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/pinterest"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, pinterest.Adapter{})
}
