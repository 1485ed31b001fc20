package sgtm

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

var (
	measurementID = regexp.MustCompile(`^G-[A-Za-z0-9]{1,100}$`)
	headerName    = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
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

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	if err := checkURL(d.Settings[SettingURL]); err != nil {
		return fmt.Errorf("%s: %w", SettingURL, err)
	}
	switch d.Settings[SettingClientType] {
	case ClientGA4:
		if !measurementID.MatchString(d.Settings[SettingMeasurementID]) {
			return fmt.Errorf("%s: required by client type ga4, in the form G-XXXXXX", SettingMeasurementID)
		}
	case ClientCustom:
		if p := d.Settings[SettingPath]; p != "" && !isPath(p) {
			return fmt.Errorf("%s: must begin with / and have no query", SettingPath)
		}
	default:
		return fmt.Errorf("%s: must be ga4 or custom", SettingClientType)
	}
	if err := canonical.Check(anyPart(d)); err != nil {
		return err
	}
	if c := d.Options.Consent; c != "" && c != relay.ConsentEnforce && c != relay.ConsentForward {
		return fmt.Errorf("consent: must be %s or %s", relay.ConsentEnforce, relay.ConsentForward)
	}
	return checkHeaders(d)
}

// anyPart is a destination whose lists name no parts of fields where client custom may name any: it gets the whole payload.
func anyPart(d relay.Destination) relay.Destination {
	if d.Settings[SettingClientType] != ClientCustom {
		return d
	}
	flat := func(names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i] = strings.ReplaceAll(name, ".", "_")
		}
		return out
	}
	d.Options.Allow, d.Options.Deny = flat(d.Options.Allow), flat(d.Options.Deny)
	return d
}

func checkURL(raw string) error {
	if _, err := relay.ParseAddress(raw); err != nil {
		return err
	}
	if strings.ContainsAny(raw, "?#") {
		return errors.New("must not have a query or a fragment")
	}
	return nil
}

func isPath(p string) bool {
	_, err := relay.ParseAddress("https://host" + p)
	return err == nil && strings.HasPrefix(p, "/") && !strings.ContainsAny(p, "?#")
}

func checkHeaders(d relay.Destination) error {
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(d.Secrets)) {
		name, ok := strings.CutPrefix(key, SecretHeaderPrefix)
		if !ok {
			continue
		}
		if err := CheckHeader(name, d.Secrets[key]); err != nil {
			return fmt.Errorf("custom_headers: %w", err)
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

// isForbidden reads "_" as "-", as servers that hand headers on as variables do.
func isForbidden(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
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
