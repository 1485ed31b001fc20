package customerio_test

import (
	"testing"

	"relay/adapters/adaptertest"
	customerio "relay/adapters/customer_io"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, customerio.Adapter{})
}
