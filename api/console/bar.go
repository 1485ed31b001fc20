package console

import (
	"net/url"
	"sync"
	"time"
)

// barFor is how long the counts of the bar are shown without being read again. They are counted once a minute.
const barFor = 5 * time.Second

// counts are the five of the bar on every page.
type counts struct {
	Received, Failed, Waiting, Unhealthy int64
	Oldest                               *float64 // seconds; nil: nothing waits to be started
	AsOf                                 *time.Time
	Known                                bool
	Stale                                time.Duration // how old they are, where they could not be read again
}

// bar keeps the latest counts: every admin sees the same, and they stay, greyed, where the database is away.
type bar struct {
	mu   sync.Mutex
	last counts
	at   time.Time
}

func (b *bar) keep(f counts, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last, b.at = f, at
}

func (b *bar) read(v *visit) counts {
	b.mu.Lock()
	f, at := b.last, b.at
	b.mu.Unlock()
	if f.Known && v.now.Sub(at) < barFor {
		return f
	}
	if _, err := v.stats(nil); err != nil {
		f.Stale = max(v.now.Sub(at), time.Second)
		return f
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// Stats are the counts of a window.
type Stats struct {
	From        time.Time         `json:"from"`
	To          time.Time         `json:"to"`
	AsOf        *time.Time        `json:"as_of"`
	Storefronts []StorefrontStats `json:"storefronts"`
	Unknown     *StorefrontStats  `json:"unknown_storefront"`
}

// StorefrontStats are those of a storefront.
type StorefrontStats struct {
	Storefront   string                      `json:"storefront"`
	Received     int64                       `json:"received"`
	Delivered    int64                       `json:"delivered"`
	Failed       map[string]int64            `json:"failed"`
	Skipped      map[string]int64            `json:"skipped"`
	Open         int64                       `json:"open"`
	Oldest       *float64                    `json:"oldest_pending_seconds"`
	Destinations map[string]DestinationStats `json:"destinations"`
}

// DestinationStats are those of a destination.
type DestinationStats struct {
	Health string     `json:"health"`
	Since  *time.Time `json:"failing_since"`
}

// stats reads the counts of a window. Those of the last 24 hours of all storefronts are the bar's, too.
func (v *visit) stats(query url.Values) (Stats, error) {
	var s Stats
	if err := v.get("/admin/v1/stats", query, &s); err != nil {
		return s, err
	}
	if len(query) == 0 {
		v.console.bar.keep(s.sum(), v.now)
	}
	return s, nil
}

// sum is the counts of all storefronts, with the unknown ones.
func (s Stats) sum() counts {
	f := counts{AsOf: s.AsOf, Known: true}
	for _, st := range s.all() {
		f.Received += st.Received
		f.Failed += total(st.Failed)
		f.Waiting += st.Open
		if st.Oldest != nil && (f.Oldest == nil || *st.Oldest > *f.Oldest) {
			f.Oldest = st.Oldest
		}
		for _, d := range st.Destinations {
			if d.Health == "unhealthy" {
				f.Unhealthy++
			}
		}
	}
	return f
}

func (s Stats) all() []StorefrontStats {
	if s.Unknown == nil {
		return s.Storefronts
	}
	return append(s.Storefronts[:len(s.Storefronts):len(s.Storefronts)], *s.Unknown)
}

func total(byReason map[string]int64) int64 {
	var n int64
	for _, x := range byReason {
		n += x
	}
	return n
}
