package linkedin_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/linkedin"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, linkedin.Adapter{})
}
