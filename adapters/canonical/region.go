package canonical

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"relay/internal/relay"
)

// Regions are a platform's addresses by the region of an account, as a setting names it. Home is that of the catalogue, which every
// destination has.
type Regions struct {
	Setting   string
	Home      string
	Addresses map[string]string
}

// Base is the address of the destination's region. An address other than the catalogue's is an admin's own and stays as it is.
func (r Regions) Base(d relay.Destination) string {
	home := r.Addresses[r.Home]
	if own := Base(d, home, ""); own != home {
		return own
	}
	return cmp.Or(r.Addresses[d.Settings[r.Setting]], home)
}

// Check requires one of the regions.
func (r Regions) Check(d relay.Destination) error {
	if r.Addresses[d.Settings[r.Setting]] == "" {
		return fmt.Errorf("%s: must be one of %s", r.Setting, strings.Join(slices.Sorted(maps.Keys(r.Addresses)), ", "))
	}
	return nil
}
