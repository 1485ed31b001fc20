package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"relay/internal/relay"
)

// Limits of one exchange. The whole of it must fit into the activity that makes it (15 s).
const (
	timeout      = 10 * time.Second
	dialTimeout  = 5 * time.Second
	maxReply     = 64 << 10
	idlePerHost  = 128
	idleInAll    = 512
	idleFor      = 50 * time.Second // servers and balancers close after 60 s or more: we let go first
	userAgent    = "marketing-events-relay"
	maxHeaderLen = 32 << 10
)

// Config says where the client may connect to.
type Config struct {
	// AllowedPrivateNets are opened, plain http included; every other address has to be public and spoken to by https.
	AllowedPrivateNets []netip.Prefix
	// Proxy is the only proxy honoured; nil is none. With a proxy it is the proxy that resolves names.
	Proxy *url.URL
	// Timeout of one exchange; 0 is 10 s.
	Timeout time.Duration
	// Now is the clock of signatures and tokens; nil is time.Now.
	Now func() time.Time
}

// Client sends requests. It is safe for concurrent use and keeps connections to destinations open.
type Client struct {
	https, http *http.Client
	rules       rules
	proxied     bool
	timeout     time.Duration
	now         func() time.Time
	tokens      tokens
}

// New makes a client.
func New(c Config) *Client {
	r := rules{private: c.AllowedPrivateNets}
	if c.Timeout == 0 {
		c.Timeout = timeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		https:   newHTTP(r.https, c.Proxy),
		http:    newHTTP(r.http, c.Proxy),
		rules:   r,
		proxied: c.Proxy != nil,
		timeout: c.Timeout,
		now:     c.Now,
	}
}

func newHTTP(control controlFunc, proxy *url.URL) *http.Client {
	d := &net.Dialer{Timeout: dialTimeout, Control: control}
	t := &http.Transport{
		DialContext:            counted(d.DialContext),
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           idleInAll,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: maxHeaderLen,
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
		d.Control = nil // the only address dialled is the proxy's, which the operator chose
	}
	return &http.Client{
		Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect would carry the credential to another host
		},
	}
}

// Close ends idle connections.
func (c *Client) Close() {
	c.https.CloseIdleConnections()
	c.http.CloseIdleConnections()
}

// Send completes the request with its Auth, makes one exchange and never repeats it. Trouble comes back in the Reply, without the URL.
func (c *Client) Send(ctx context.Context, r relay.Request) relay.Response {
	start := time.Now()
	reply := c.exchange(ctx, r)
	reply.At = time.Now()
	reply.Took = reply.At.Sub(start)
	reply.Repeatable, reply.Validates = r.Repeatable, r.Validates
	return reply
}

func (c *Client) exchange(ctx context.Context, r relay.Request) relay.Response {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, token, failed := c.ready(ctx, r)
	if failed != nil {
		return *failed
	}
	reply, idle := c.once(ctx, r)
	if idle && ctx.Err() == nil {
		// The server had closed a connection that was idle, and not a byte left: this is not a second request.
		reply, _ = c.once(ctx, r)
	}
	if token.value != "" && reply.Status == http.StatusUnauthorized {
		c.tokens.drop(token)
		reply.CachedToken = token.cached
	}
	return reply
}

// once makes one exchange. idle says that it failed on a connection that was open before, and that nothing left.
func (c *Client) once(ctx context.Context, r relay.Request) (reply relay.Response, idle bool) {
	var w wire
	req, err := newRequest(httptrace.WithClientTrace(ctx, w.trace()), r)
	if err != nil {
		return relay.Response{TransportError: relay.TransportBadURL}, false
	}
	client, err := c.clientFor(req.URL)
	if err != nil {
		return relay.Response{TransportError: relay.TransportAddress}, false
	}
	res, err := client.Do(req)
	if err != nil {
		sent := w.sent(ctx)
		return relay.Response{Sent: sent, TransportError: trouble(err, sent)}, !sent && w.reused
	}
	defer func() { _ = res.Body.Close() }()
	reply = relay.Response{Sent: true, Status: res.StatusCode, Header: firstValues(res.Header)}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return reply, false // its body is the bare connection, whose reads no context ends
	}
	reply.Body, err = io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		// The status came, and it decides; a body that was cut off can only hide a vendor's code, and then the
		// adapter asks for another attempt.
		reply.TransportError = trouble(err, true)
	}
	return reply, false
}

func newRequest(ctx context.Context, r relay.Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, onceBody{bytes.NewReader(r.Body)})
	if err != nil {
		return nil, errors.New("malformed request") // err repeats the URL
	}
	req.Header.Set("User-Agent", userAgent)
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	req.ContentLength = int64(len(r.Body))
	return req, nil
}

// clientFor picks by scheme and makes the checks that need no resolved name. The others are made when the address is dialled, on
// the address of the connection.
func (c *Client) clientFor(u *url.URL) (*http.Client, error) {
	if u.Host == "" || u.User != nil {
		return nil, errRefused
	}
	literal, err := netip.ParseAddr(u.Hostname())
	isLiteral := err == nil
	switch u.Scheme {
	case "https":
		if isLiteral && !c.rules.allowsHTTPS(literal) {
			return nil, errRefused
		}
		return c.https, nil
	case "http":
		if isLiteral && !c.rules.allowsHTTP(literal) || c.proxied && !isLiteral {
			return nil, errRefused
		}
		return c.http, nil
	}
	return nil, errRefused
}

func trouble(err error, sent bool) relay.TransportError {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errRefused):
		return relay.TransportAddress
	case !sent:
		return relay.TransportConnect
	case unprocessed(err):
		return relay.TransportUnprocessed
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return relay.TransportTimeout
	}
	return relay.TransportCut
}

// unprocessed reports whether a server of HTTP/2 said that it did not look at the request. net/http only says so in the error's text.
func unprocessed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "REFUSED_STREAM") || strings.Contains(text, "Server's graceful shutdown GOAWAY")
}

func firstValues(h http.Header) map[string]string {
	m := make(map[string]string, len(h))
	for k := range h {
		m[k] = h.Get(k)
	}
	return m
}
