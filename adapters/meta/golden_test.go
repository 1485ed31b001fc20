package meta_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/meta"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, meta.Adapter{})
}
