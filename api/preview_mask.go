package api

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"relay/internal/relay"
)

// masked replaces a secret.
var masked = relay.NewSecret("").String()

// leastSecret is how many characters a secret must have. A shorter one is easily guessed, and is found in text that has
// nothing to do with it.
const leastSecret = 8

// headerSecret is how the name of a container's custom header begins among the secrets of its destination.
const headerSecret = "header:"

// shownRequest is a request with its secrets masked.
type shownRequest struct {
	Method, URL, Body string
	Headers           map[string]string
}

// maskRequest masks the secrets of a destination in a request. The values of custom headers are in those headers and
// nowhere else: one such as "https://www.bosley.com" must not be cut out of the page.
func maskRequest(r relay.Request, d relay.Destination) shownRequest {
	inner := d
	inner.Secrets = maps.Clone(d.Secrets)
	maps.DeleteFunc(inner.Secrets, func(name string, _ relay.Secret) bool { return strings.HasPrefix(name, headerSecret) })
	s := shownRequest{Method: r.Method, URL: maskShort(maskSecrets(r.URL, inner), inner), Body: maskShort(maskSecrets(string(r.Body), inner), inner),
		Headers: map[string]string{}}
	for name, value := range r.Header {
		s.Headers[name] = maskHeader(name, value, d)
	}
	for _, name := range r.Auth.Headers() {
		s.Headers[name] = relay.AddedWhenSent
	}
	return s
}

// redact hides values that a reader must not see without a reveal.
func (s *shownRequest) redact() {
	s.URL, s.Body = relay.RedactURL(s.URL), relay.RedactBody([]byte(s.Body))
	for name, value := range s.Headers {
		if value != masked && value != relay.AddedWhenSent {
			s.Headers[name] = relay.RedactHeader(name, value)
		}
	}
}

// maskSecrets replaces the secrets of a destination wherever a text has them, as they are or as a URL or JSON has
// them. Those that were stored before they had to have eight characters are left: they would be found everywhere.
func maskSecrets(text string, d relay.Destination) string {
	var values []string
	for _, secret := range d.Secrets {
		if value := secret.Reveal(); !isShort(value) {
			values = append(values, value)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	for _, value := range values {
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value), inJSON(value)} {
			text = strings.ReplaceAll(text, form, masked)
		}
	}
	return text
}

// maskShort replaces secrets that are too short for maskSecrets under their own name: in a URL's query or
// in JSON.
func maskShort(text string, d relay.Destination) string {
	for name, secret := range d.Secrets {
		value := secret.Reveal()
		if value == "" || !isShort(value) {
			continue
		}
		query := regexp.MustCompile(`([?&]` + regexp.QuoteMeta(name) + `=)` + regexp.QuoteMeta(url.QueryEscape(value)) + `(&|#|$)`)
		member := regexp.MustCompile(`("` + regexp.QuoteMeta(name) + `"\s*:\s*")` + regexp.QuoteMeta(inJSON(value)) + `"`)
		text = query.ReplaceAllString(text, "${1}"+masked+"${2}")
		text = member.ReplaceAllString(text, "${1}"+masked+`"`)
	}
	return text
}

// maskHeader hides the whole of a header's value that has a secret in it.
func maskHeader(name, value string, d relay.Destination) string {
	if strings.EqualFold(name, "Authorization") { // Basic has a secret in base64, where no search finds it
		return masked
	}
	for key, secret := range d.Secrets {
		own, custom := strings.CutPrefix(key, headerSecret)
		ends := secret.IsSet() && (value == secret.Reveal() || strings.HasSuffix(value, " "+secret.Reveal())) // "Bearer x"
		if custom && strings.EqualFold(own, name) || !custom && ends {
			return masked
		}
	}
	if maskSecrets(value, d) != value {
		return masked
	}
	return value
}

func isShort(secret string) bool {
	return utf8.RuneCountInString(strings.TrimSpace(secret)) < leastSecret
}

// inJSON returns a text as it appears between the quotes of a JSON string.
func inJSON(s string) string { return quoted(s)[1 : len(quoted(s))-1] }
