package snapchat_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/snapchat"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, snapchat.Adapter{})
}
