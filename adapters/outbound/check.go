package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"relay/internal/relay"
)

// lookupTimeout bounds the question where the name of an http address leads.
const lookupTimeout = 2 * time.Second

// CheckURL refuses an address that the client would not send to: it requires an absolute https URL, or http if all
// addresses of the host are in private, the networks of ALLOWED_PRIVATE_NETS. It reports mistakes of input early; the check of the
// dialled address decides. Its error holds nothing of the URL.
func CheckURL(ctx context.Context, raw string, private []netip.Prefix) error {
	u, err := relay.ParseAddress(raw)
	if err != nil {
		return err
	}
	r := rules{private: private}
	literal, err := netip.ParseAddr(u.Hostname())
	switch {
	case u.Scheme == "https" && err == nil && !r.allowsHTTPS(literal):
		return errors.New("must not be in a private network unless ALLOWED_PRIVATE_NETS lists it")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return errors.New("must be an https URL")
	case err == nil && r.allowsHTTP(literal), err != nil && r.leadsInside(ctx, u.Hostname()):
		return nil
	}
	return errors.New("must be an https URL; http is accepted only within ALLOWED_PRIVATE_NETS")
}

// leadsInside reports whether a name leads to addresses of the private networks only.
func (r rules) leadsInside(ctx context.Context, name string) bool {
	if len(r.private) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	for _, a := range found {
		if !r.allowsHTTP(a) {
			return false
		}
	}
	return err == nil && len(found) > 0
}
