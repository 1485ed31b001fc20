package outbound

import (
	"errors"
	"net/netip"
	"syscall"
)

// errRefused is an address that the rules forbid. It names no address, so that its readers cannot map our network.
var errRefused = errors.New("address refused")

type controlFunc func(network, address string, c syscall.RawConn) error

// rules decide which addresses may be connected to.
type rules struct{ private []netip.Prefix }

// special are the networks that are not on the public internet, beyond those that netip.Addr's own predicates name: IANA's
// special-purpose registries (RFC 6890) where they say "not globally reachable", and networks that hide an IPv4 address or lead to
// a service of the network itself.
var special = prefixes(
	"0.0.0.0/8",       // this network
	"100.64.0.0/10",   // carrier-grade NAT
	"192.0.0.0/24",    // IETF protocol assignments, the anycast addresses of the network's own services included
	"192.0.2.0/24",    // TEST-NET-1
	"192.88.99.0/24",  // 6to4 relays
	"198.18.0.0/15",   // benchmarking
	"198.51.100.0/24", // TEST-NET-2
	"203.0.113.0/24",  // TEST-NET-3
	"240.0.0.0/4",     // reserved, broadcast
	"2001::/23",       // IETF protocol assignments: Teredo, benchmarking, ORCHID, ...
	"2001:db8::/32",   // documentation
	"2002::/16",       // 6to4: an IPv4 address in disguise
	"3fff::/20",       // documentation
)

// unicast is the part of IPv6 that IANA has assigned as global unicast. It leaves out, among others, IPv4-compatible (::/96) and
// IPv4-translated (::ffff:0:0:0/96) addresses, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard (100::/64), segment routing
// (5f00::/16), site-local (fec0::/10), and unassigned networks.
var unicast = netip.MustParsePrefix("2000::/3")

// public reports whether an address is an ordinary one of the internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	return (a.Is4() || unicast.Contains(a)) && !within(a, special)
}

func (r rules) allowsHTTPS(a netip.Addr) bool { return public(a) || r.allowsHTTP(a) }

func (r rules) allowsHTTP(a netip.Addr) bool { return within(a.Unmap().WithZone(""), r.private) }

func (r rules) https(_, address string, _ syscall.RawConn) error {
	return check(address, r.allowsHTTPS)
}

func (r rules) http(_, address string, _ syscall.RawConn) error { return check(address, r.allowsHTTP) }

// check is called with the address of the connection, after names were resolved, so that no DNS response bypasses it.
func check(address string, allowed func(netip.Addr) bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !allowed(ap.Addr()) {
		return errRefused
	}
	return nil
}

func within(a netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func prefixes(cidrs ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(cidrs))
	for i, c := range cidrs {
		ps[i] = netip.MustParsePrefix(c)
	}
	return ps
}
