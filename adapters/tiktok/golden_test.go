package tiktok_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/tiktok"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, tiktok.Adapter{})
}
