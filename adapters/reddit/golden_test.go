package reddit_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/reddit"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, reddit.Adapter{})
}
