package outbound

import (
	"errors"
	"net/netip"
	"syscall"
)

// errRefused is an address that the rules forbid. It names no address: who may read the answer may not map our network.
var errRefused = errors.New("address refused")

type controlFunc func(network, address string, c syscall.RawConn) error

// rules tell which addresses may be connected to.
type rules struct{ private []netip.Prefix }

// special are networks that are no place on the public internet, beyond those that netip.Addr's own predicates name.
var special = prefixes(
	"0.0.0.0/8",       // this network
	"100.64.0.0/10",   // carrier-grade NAT
	"192.0.0.0/24",    // IETF protocol assignments
	"192.88.99.0/24",  // 6to4 relays
	"198.18.0.0/15",   // benchmarking
	"240.0.0.0/4",     // reserved, broadcast
	"::/96",           // IPv4-compatible
	"64:ff9b::/96",    // NAT64: an IPv4 address in disguise
	"64:ff9b:1::/48",  // NAT64, local use
	"100::/64",        // discard
	"2001::/32",       // Teredo: likewise
	"2002::/16",       // 6to4: likewise
	"fec0::/10",       // site-local
	"::ffff:0:0:0/96", // IPv4-translated
)

// public reports whether an address is an ordinary one of the internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	return !within(a, special)
}

func (r rules) allowsHTTPS(a netip.Addr) bool { return public(a) || r.allowsHTTP(a) }

func (r rules) allowsHTTP(a netip.Addr) bool { return within(a.Unmap().WithZone(""), r.private) }

func (r rules) https(_, address string, _ syscall.RawConn) error {
	return check(address, r.allowsHTTPS)
}

func (r rules) http(_, address string, _ syscall.RawConn) error { return check(address, r.allowsHTTP) }

// check is called with the address that is about to be connected to, after names were resolved, so that no DNS answer
// leads past it.
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
