package outbound

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// registries are the rows of IANA's special-purpose address registries, IPv4 and IPv6, and after them other networks that are
// no place on the internet. reachable is whether the relay sends there.
var registries = []struct {
	network   string
	name      string
	reachable bool
}{
	{"0.0.0.0/8", "this network", false},
	{"0.0.0.0/32", "this host on this network", false},
	{"10.0.0.0/8", "private use", false},
	{"100.64.0.0/10", "shared address space", false},
	{"127.0.0.0/8", "loopback", false},
	{"169.254.0.0/16", "link local", false},
	{"172.16.0.0/12", "private use", false},
	{"192.0.0.0/24", "IETF protocol assignments", false},
	{"192.0.0.0/29", "IPv4 service continuity", false},
	{"192.0.0.8/32", "IPv4 dummy address", false},
	{"192.0.0.9/32", "Port Control Protocol anycast: our own network's", false},
	{"192.0.0.10/32", "TURN anycast: our own network's", false},
	{"192.0.0.170/32", "NAT64/DNS64 discovery", false},
	{"192.0.0.171/32", "NAT64/DNS64 discovery", false},
	{"192.0.2.0/24", "TEST-NET-1", false},
	{"192.31.196.0/24", "AS112-v4", true},
	{"192.52.193.0/24", "AMT", true},
	{"192.88.99.0/24", "6to4 relay anycast", false},
	{"192.88.99.2/32", "6a44 relay anycast", false},
	{"192.168.0.0/16", "private use", false},
	{"192.175.48.0/24", "direct delegation AS112", true},
	{"198.18.0.0/15", "benchmarking", false},
	{"198.51.100.0/24", "TEST-NET-2", false},
	{"203.0.113.0/24", "TEST-NET-3", false},
	{"240.0.0.0/4", "reserved", false},
	{"255.255.255.255/32", "limited broadcast", false},

	{"::1/128", "loopback", false},
	{"::/128", "unspecified", false},
	{"::ffff:0:0/96", "IPv4-mapped, of 0.0.0.0 and of 255.255.255.255", false},
	{"64:ff9b::/96", "IPv4-IPv6 translation", false},
	{"64:ff9b:1::/48", "IPv4-IPv6 translation, local", false},
	{"100::/64", "discard only", false},
	{"100:0:0:1::/64", "dummy prefix", false},
	{"2001::/23", "IETF protocol assignments", false},
	{"2001::/32", "Teredo", false},
	{"2001:1::1/128", "Port Control Protocol anycast: our own network's", false},
	{"2001:1::2/128", "TURN anycast: our own network's", false},
	{"2001:1::3/128", "DNS-SD anycast: our own network's", false},
	{"2001:2::/48", "benchmarking", false},
	{"2001:3::/32", "AMT: no web servers", false},
	{"2001:4:112::/48", "AS112-v6: no web servers", false},
	{"2001:10::/28", "ORCHID", false},
	{"2001:20::/28", "ORCHIDv2: no addresses of hosts", false},
	{"2001:30::/28", "drone remote ID: no addresses of hosts", false},
	{"2001:db8::/32", "documentation", false},
	{"2002::/16", "6to4", false},
	{"2620:4f:8000::/48", "direct delegation AS112", true},
	{"3fff::/20", "documentation", false},
	{"5f00::/16", "segment routing SIDs", false},
	{"fc00::/7", "unique local", false},
	{"fe80::/10", "link local", false},

	{"224.0.0.0/4", "multicast", false},
	{"ff00::/8", "multicast", false},
	{"fec0::/10", "site local", false},
	{"::/96", "IPv4-compatible", false},
	{"::ffff:0:0:0/96", "IPv4-translated", false},
	{"4000::/3", "not given out", false},
	{"8.8.8.0/24", "ordinary", true},
	{"::ffff:8.8.8.0/120", "ordinary, mapped", true},
	{"2001:200::/23", "ordinary", true},
	{"2606:4700::/32", "ordinary", true},
	{"2a00::/12", "ordinary", true},
}

func TestEveryRowOfTheRegistriesIsAllowedOrRefused(t *testing.T) {
	t.Parallel()
	var none rules
	for _, row := range registries {
		p := netip.MustParsePrefix(row.network)
		for _, a := range []netip.Addr{p.Addr(), lastOf(p)} {
			require.Equal(t, row.reachable, none.allowsHTTPS(a), "%s (%s): %s", row.network, row.name, a)
			require.False(t, none.allowsHTTP(a), a)
			if a.Is4() {
				mapped := netip.AddrFrom16(a.As16())
				require.Equal(t, row.reachable, none.allowsHTTPS(mapped), mapped)
			}
			opened := rules{private: []netip.Prefix{netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}}
			require.True(t, opened.allowsHTTPS(a), "ALLOWED_PRIVATE_NETS opens %s", a)
		}
	}
}

// lastOf is a network's last address.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	bits := p.Bits() + 128 - p.Addr().BitLen()
	for i := bits; i < 128; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a := netip.AddrFrom16(b)
	if p.Addr().Is4() {
		return a.Unmap()
	}
	return a
}
