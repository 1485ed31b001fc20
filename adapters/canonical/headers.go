package canonical

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"relay/internal/relay"
)

// SecretHeaderPrefix and the name of a custom header are the name of the header's value among a destination's secrets.
const SecretHeaderPrefix = "header:"

var (
	headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
	// forbidden headers belong to the connection, or change the meaning of the exchange: the form of the body, which part of the
	// response comes back, whether the request is processed, by which method and under which path.
	forbidden = []string{
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Http2-Settings", "Te", "Trailer", "Keep-Alive", "Expect",
		"Content-Encoding", "Content-Range", "Accept-Encoding", "Range", "A-Im", "Prefer",
		"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url",
		"Idempotency-Key", "X-Idempotency-Key", // one value for all events would make each event a copy of the first
	}
	forbiddenStarts = []string{"If-", "Proxy-"}
)

// Headers are a destination's custom headers, in one spelling.
func Headers(d relay.Destination) map[string]string {
	all := map[string]string{}
	for key, value := range d.Secrets {
		if custom, ok := strings.CutPrefix(key, SecretHeaderPrefix); ok {
			all[textproto.CanonicalMIMEHeaderKey(custom)] = value.Reveal()
		}
	}
	return all
}

// CheckHeaders validates a destination's custom headers. reserved lists the headers that the adapter sets.
func CheckHeaders(d relay.Destination, reserved ...string) error {
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(d.Secrets)) {
		name, ok := strings.CutPrefix(key, SecretHeaderPrefix)
		if !ok {
			continue
		}
		if err := CheckHeader(name, d.Secrets[key]); err != nil {
			return fmt.Errorf("custom_headers: %w", err)
		}
		if slices.Contains(reserved, asServersRead(name)) {
			return fmt.Errorf("custom_headers: %s may not be set", asServersRead(name))
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if seen[name] { // which of them would leave is chance
			return fmt.Errorf("custom_headers: %s is set twice", name)
		}
		seen[name] = true
	}
	return nil
}

// CheckHeader refuses a custom header that is malformed, belongs to the connection, or changes the meaning of the exchange.
func CheckHeader(name string, value relay.Secret) error {
	if !headerName.MatchString(name) {
		return errors.New("a header name has invalid characters")
	}
	shown := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case isForbidden(shown):
		return fmt.Errorf("%s may not be set", shown)
	case strings.ContainsFunc(value.Reveal(), isControl):
		return fmt.Errorf("the value of %s has a line break or another control character", shown)
	case shown == "Content-Type" && !isJSON(value.Reveal()):
		return fmt.Errorf("%s must be JSON in UTF-8, like the body", shown)
	}
	return nil
}

// asServersRead is a header's name with "_" as "-", as servers that hand headers on as variables read it.
func asServersRead(name string) string {
	return textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

func isForbidden(name string) bool {
	name = asServersRead(name)
	return slices.Contains(forbidden, name) ||
		slices.ContainsFunc(forbiddenStarts, func(start string) bool { return strings.HasPrefix(name, start) })
}

func isJSON(contentType string) bool {
	kind, params, err := mime.ParseMediaType(contentType)
	charset, named := params["charset"]
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) &&
		(!named || strings.EqualFold(charset, "utf-8"))
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
