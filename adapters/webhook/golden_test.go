package webhook_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/webhook"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, webhook.Adapter{})
}
