package mixpanel_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/mixpanel"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, mixpanel.Adapter{})
}
