// Package oms_test is OMS: it sends events by the examples of docs/OMS.md and by a client generated from "relay openapi", to a
// running system. It makes the tables of the page, and the collection for Bruno, from the same document.
package oms_test

import (
	"sync"
	"testing"

	"relay/deploy/dev/harness"
	shared "relay/deploy/tests/world"
)

// world is the system that all tests of this package share; each has a storefront of its own.
type world struct{ *shared.World }

var one struct {
	sync.Mutex
	world
}

func TestMain(m *testing.M) { shared.Main(m, func() error { return one.Stop() }) }

// setup starts the system for the first test.
func setup(t *testing.T) *world {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	if one.World == nil {
		one.World = shared.Start(t, harness.Config{Temporal: harness.TemporalOptions{UIPort: -1}})
	}
	return &one.world
}
