package relay

import (
	"bytes"
	"errors"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TransportError is a transport error: the request got no complete response.
type TransportError string

// The transport errors. TroubleAddress is the relay's own: the outbound rules forbid the address, and nothing was sent.
const (
	NoTransportError TransportError = ""
	TransportConnect TransportError = "connect" // name, route, TLS: no byte of the request left
	TransportTimeout TransportError = "timeout"
	TransportCut     TransportError = "cut" // the connection ended before the response did
	// TransportUnprocessed is a request that was sent and that the server reports as not processed (HTTP/2).
	TransportUnprocessed TransportError = "unprocessed"
	TransportAddress     TransportError = "address_refused"
	TransportBadURL      TransportError = "bad_url"
	// The next two are requests that did not leave for want of their Auth: the credential is refused or unusable, or the
	// service that issues tokens does not issue one now.
	TransportCredential TransportError = "credential_refused"
	TransportToken      TransportError = "token_unavailable"
)

// Response is a response or a transport error: whether bytes of the request may have been sent, status, header and body (cut at
// 64 KiB). Header keys are canonical ("Retry-After"), each with its first value.
type Response struct {
	Sent           bool
	TransportError TransportError
	Status         int
	Header         map[string]string
	Body           []byte
	At             time.Time // when it came
	Took           time.Duration
	Repeatable     bool // the Request's, as is Validates
	Validates      bool
	// CachedToken says that the request had an access token from an earlier exchange. Where that is refused, the next attempt has
	// a fresh one.
	CachedToken bool
}

// IsHTML reports whether the response is a web page, which no platform's API returns. The header alone is not enough: many
// servers send text/html with an empty body or with "ok".
func (r Response) IsHTML() bool {
	body := bytes.TrimLeft(r.Body, "\ufeff \t\r\n")
	if strings.HasPrefix(strings.ToLower(r.Get("Content-Type")), "text/html") {
		return bytes.HasPrefix(body, []byte("<"))
	}
	head := bytes.ToLower(body[:min(len(body), 16)])
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// Get returns a header of the response.
func (r Response) Get(name string) string { return r.Header[textproto.CanonicalMIMEHeaderKey(name)] }

// longestRetryAfter is far beyond any wait that is kept.
const longestRetryAfter = 10 * 365 * 24 * time.Hour

// RetryAfter returns the wait that the Retry-After header asks for, in seconds (a fraction counts) or as a date; 0 if the
// header is missing or unreadable. A date is measured against the response's own Date: the two clocks may differ, and only the server's is
// meant.
func (r Response) RetryAfter() time.Duration {
	v := strings.TrimSpace(r.Get("Retry-After"))
	if n, err := strconv.ParseFloat(v, 64); decimal.MatchString(v) && (err == nil || errors.Is(err, strconv.ErrRange)) {
		return time.Duration(min(n, longestRetryAfter.Seconds()) * float64(time.Second))
	}
	until, ok := httpDate(v)
	if !ok {
		return 0
	}
	now, ok := httpDate(r.Get("Date"))
	if !ok {
		now = r.At
	}
	return min(max(0, until.Sub(now)), longestRetryAfter)
}

var decimal = regexp.MustCompile(`^\+?\d+(\.\d*)?$`)

// httpDate reads the three forms of a date in HTTP.
func httpDate(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC1123, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, strings.TrimSpace(v)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Result classifies a response by its HTTP status. It is the only place that does. Adapters check the vendor's own codes
// first. Every 5xx, 408, 425 and 429 is retryable; every other 4xx is not.
func (r Response) Result() Result {
	res := Result{Status: r.Status, RetryAfter: r.RetryAfter()}
	res.Outcome, res.Reason = r.classify()
	return res
}

func (r Response) classify() (Outcome, Reason) {
	switch {
	case r.Status == 401 && r.CachedToken:
		return Retry, ReasonTokenExpired
	case r.Status >= 300: // known, also where the body broke off
		return classifyStatus(r.Status)
	case r.TransportError == TransportAddress || r.TransportError == TransportBadURL:
		return Rejected, ReasonAddressRefused
	case r.TransportError == TransportCredential:
		return Unauthorized, ReasonUnauthorized
	case r.TransportError == TransportToken:
		return Retry, ReasonTokenUnavailable
	case r.TransportError == TransportConnect || r.TransportError == TransportUnprocessed:
		return Retry, ReasonNetwork
	case r.TransportError != NoTransportError && r.Sent && !r.Repeatable:
		return Unknown, ReasonUnknown
	case r.TransportError == TransportTimeout:
		return Retry, ReasonTimeout
	case r.TransportError != NoTransportError:
		return Retry, ReasonNetwork
	}
	return classifyStatus(r.Status)
}

func classifyStatus(status int) (Outcome, Reason) {
	switch {
	case status >= 200 && status < 300:
		return Accepted, ""
	case status >= 300 && status < 400:
		return Rejected, ReasonRedirect
	case status == 408:
		return Retry, ReasonTimeout
	case status == 425, status == 429:
		return Retry, ReasonThrottled
	case status >= 500:
		return Retry, ReasonServerError
	case status == 401, status == 403:
		return Unauthorized, ReasonUnauthorized
	case status == 404:
		return Rejected, ReasonNotFound
	case status == 413:
		return Rejected, ReasonTooLarge
	}
	return Rejected, ReasonBadRequest
}
