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
	"sync/atomic"
	"time"

	"relay"
)

// Limits of one exchange. The whole of it must fit into the activity that makes it (15 s).
const (
	timeout      = 10 * time.Second
	dialTimeout  = 5 * time.Second
	maxReply     = 64 << 10
	idlePerHost  = 128
	idleInAll    = 512
	idleFor      = 90 * time.Second
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
}

// Client sends requests. It is safe for concurrent use and keeps connections to destinations open.
type Client struct {
	https, http *http.Client
	rules       rules
	proxied     bool
	timeout     time.Duration
}

// New makes a client.
func New(c Config) *Client {
	r := rules{private: c.AllowedPrivateNets}
	if c.Timeout == 0 {
		c.Timeout = timeout
	}
	return &Client{
		https:   newHTTP(r.https, c.Proxy),
		http:    newHTTP(r.http, c.Proxy),
		rules:   r,
		proxied: c.Proxy != nil,
		timeout: c.Timeout,
	}
}

func newHTTP(control controlFunc, proxy *url.URL) *http.Client {
	d := &net.Dialer{Timeout: dialTimeout, Control: control}
	t := &http.Transport{
		DialContext:            d.DialContext,
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

// Send makes one exchange and never repeats it. Trouble comes back in the Reply, without the URL.
func (c *Client) Send(ctx context.Context, r relay.Request) relay.Reply {
	start := time.Now()
	reply := c.exchange(ctx, r)
	reply.At = time.Now()
	reply.Took = reply.At.Sub(start)
	reply.Repeatable = r.Repeatable
	return reply
}

func (c *Client) exchange(ctx context.Context, r relay.Request) relay.Reply {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { sent.Store(true) },
	})
	req, err := newRequest(ctx, r)
	if err != nil {
		return relay.Reply{Trouble: relay.TroubleBadURL}
	}
	client, err := c.clientFor(req.URL)
	if err != nil {
		return relay.Reply{Trouble: relay.TroubleAddress}
	}
	res, err := client.Do(req)
	if err != nil {
		return relay.Reply{Sent: sent.Load(), Trouble: trouble(err, sent.Load())}
	}
	defer func() { _ = res.Body.Close() }()
	reply := relay.Reply{Sent: true, Status: res.StatusCode, Header: firstValues(res.Header)}
	reply.Body, err = io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		// The status came, and it decides; a body that was cut off can only hide a vendor's code, and then the
		// adapter asks for another try.
		reply.Trouble = trouble(err, true)
	}
	return reply
}

func newRequest(ctx context.Context, r relay.Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("malformed request") // err repeats the URL
	}
	req.Header.Set("User-Agent", userAgent)
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	if req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != "" {
		req.GetBody = nil // net/http takes these headers for leave to send the request again by itself
	}
	return req, nil
}

// clientFor picks by scheme and refuses what can be refused before a name is resolved. The rest is refused when it is
// dialled, by the address that is really connected to.
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

func trouble(err error, sent bool) relay.Trouble {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errRefused):
		return relay.TroubleAddress
	case !sent:
		return relay.TroubleConnect
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return relay.TroubleTimeout
	}
	return relay.TroubleCut
}

func firstValues(h http.Header) map[string]string {
	m := make(map[string]string, len(h))
	for k := range h {
		m[k] = h.Get(k)
	}
	return m
}
