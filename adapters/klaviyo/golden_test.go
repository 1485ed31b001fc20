package klaviyo_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/klaviyo"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, klaviyo.Adapter{})
}
