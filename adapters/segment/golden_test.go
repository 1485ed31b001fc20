package segment_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/segment"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, segment.Adapter{})
}
