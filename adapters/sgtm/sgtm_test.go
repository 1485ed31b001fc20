package sgtm_test

import (
	"testing"

	"relay/adapters/adaptertest"
	"relay/adapters/sgtm"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, sgtm.Adapter{})
}
