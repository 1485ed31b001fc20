package relay

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Limits of a name in the DNS, in bytes.
const (
	maxHostName  = 253
	maxHostLabel = 63
)

// notInURL are characters that a valid URL never contains unescaped; they come from copying it with its surroundings.
const notInURL = " \t\"<>\\^`{|}"

var hostNumber = regexp.MustCompile(`^([0-9]+|0[xX][0-9A-Fa-f]*)$`)

// ParseAddress reads the absolute http or https URL of a server, and refuses one that no client can reach: a port outside
// 1 to 65535, a host that is neither a name nor an address, characters that no URL has. It uses no resolver. Its error holds nothing
// of the URL.
func ParseAddress(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must be an absolute URL")
	case u.User != nil:
		return nil, errors.New("must not hold a user or password")
	case strings.ContainsAny(raw, notInURL):
		return nil, errors.New("must not have a space or another character that no URL has")
	case !hasPossiblePort(u):
		return nil, errors.New("must have a port from 1 to 65535, or none")
	case !isPossibleHost(u.Hostname()):
		return nil, errors.New("must have the name or the whole address of a server as its host")
	}
	return u, nil
}

func hasPossiblePort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// isPossibleHost reports whether a host is a whole IP address, or a name that the DNS can hold. A name whose last label is a
// number is neither: resolvers of other languages read "1" and "0x7f.1" as short forms of an address.
func isPossibleHost(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsValid()
	}
	host = strings.TrimSuffix(host, ".")
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isHostLabel(label) {
			return false
		}
	}
	return len(host) <= maxHostName && !hostNumber.MatchString(labels[len(labels)-1])
}

func isHostLabel(label string) bool {
	if label == "" || len(label) > maxHostLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(label, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && !unicode.IsLetter(r) && !unicode.IsMark(r)
	})
}
