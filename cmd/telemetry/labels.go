package telemetry

import "sync"

// How many different values of a label have a series of their own. The rest share one, named other: an installation with
// more storefronts loses their names in Prometheus, and nothing of the sums.
const (
	maxStorefronts  = 300
	maxDestinations = 80 // the catalogue has 53 platforms
	other           = "other"
)

// names bounds the values of a label: the first that come are kept, for as long as the process lives.
type names struct {
	most int
	mu   sync.RWMutex
	kept map[string]bool
}

func newNames(most int) *names { return &names{most: most, kept: map[string]bool{}} }

// of is the value itself while there is room, else other.
func (n *names) of(value string) string {
	n.mu.RLock()
	known, full := n.kept[value], len(n.kept) >= n.most
	n.mu.RUnlock()
	switch {
	case known:
		return value
	case full:
		return other
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kept) >= n.most && !n.kept[value] {
		return other
	}
	n.kept[value] = true
	return value
}
