package microsoftads_test

import (
	"testing"

	"relay/adapters/adaptertest"
	microsoftads "relay/adapters/microsoft_ads"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, microsoftads.Adapter{})
}
