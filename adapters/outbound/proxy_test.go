package outbound_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/internal/relay"
)

// proxy is a real forward proxy of this machine. It tunnels to this machine only, and refuses everything else with 403.
type proxy struct {
	url   *url.URL
	mu    sync.Mutex
	asked []string
	heard bytes.Buffer // header values and plain bodies
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	p.url = u
	return p
}

func (p *proxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *proxy) heardOf(s string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.heard.String(), s)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if r.Method == http.MethodConnect {
		p.asked = append(p.asked, "CONNECT "+r.Host)
	} else {
		p.asked = append(p.asked, r.Method+" "+r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
	}
	_ = r.Header.Write(&p.heard)
	_, _ = io.Copy(&p.heard, r.Body)
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusAccepted)
	case strings.HasPrefix(r.Host, "127.0.0.1:"):
		tunnel(w, r.Host)
	default:
		w.WriteHeader(http.StatusForbidden)
	}
}

func tunnel(w http.ResponseWriter, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = far.Close()
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}

func TestConfiguredProxyIsUsed(t *testing.T) {
	t.Parallel()
	t.Run("https uses a tunnel, in which the proxy reads nothing", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		t.Cleanup(s.Close)
		p := newProxy(t)
		c := client(t, outbound.Config{Proxy: p.url, AllowedPrivateNets: nets("127.0.0.0/8")})
		reply := c.Send(t.Context(), post(s.URL+"/collect"))
		require.Equal(t, http.StatusNoContent, reply.Status, reply.TransportError)
		require.Equal(t, []string{"CONNECT " + strings.TrimPrefix(s.URL, "https://")}, p.requests())
		require.False(t, p.heardOf(secret))
	})
	t.Run("plain http reaches an allowed private address", func(t *testing.T) {
		t.Parallel()
		p := newProxy(t)
		c := client(t, outbound.Config{Proxy: p.url, AllowedPrivateNets: nets("10.0.0.0/8")})
		require.Equal(t, http.StatusAccepted, c.Send(t.Context(), post("http://10.1.2.3/collect")).Status)
		require.Equal(t, []string{"POST http://10.1.2.3/collect"}, p.requests())
	})
	t.Run("it logs in if the setting has a login", func(t *testing.T) {
		t.Parallel()
		p := newProxy(t)
		withUser := *p.url
		withUser.User = url.UserPassword("relay", "pass")
		c := client(t, outbound.Config{Proxy: &withUser})
		c.Send(t.Context(), post("https://tags.example.com/collect"))
		require.True(t, p.heardOf("Proxy-Authorization: Basic cmVsYXk6cGFzcw=="))
	})
}

func TestAProxyDoesNotBypassTheRules(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	c := client(t, outbound.Config{Proxy: p.url})
	for _, u := range []string{"https://127.0.0.1/", "https://169.254.169.254/", "http://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:100.64.0.1]/", "http://tags.example.com/"} {
		require.Equal(t, relay.TransportAddress, c.Send(t.Context(), post(u)).TransportError, u)
	}
	require.Empty(t, p.requests())
}

func TestRefusalByTheProxyIsAFailedConnection(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	reply := client(t, outbound.Config{Proxy: p.url}).Send(t.Context(), post("https://tags.example.com/collect"))
	require.Equal(t, relay.TransportConnect, reply.TransportError)
	require.False(t, reply.Sent)
	require.Zero(t, reply.Status, "the proxy's 403 is not the destination's")
	require.Equal(t, []string{"CONNECT tags.example.com:443"}, p.requests())
	require.False(t, p.heardOf(secret))
}

// Go's own proxies from the environment leave loopback alone; 0.0.0.0 is this machine, and not loopback.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	target := "http://0.0.0.0:" + portOf(t, strings.TrimPrefix(s.URL, "http://")) + "/"
	req, err := http.NewRequest(http.MethodPost, target, nil)
	require.NoError(t, err)
	named, err := http.ProxyFromEnvironment(req)
	require.NoError(t, err)
	require.NotNil(t, named, "the environment does name one for this address")

	reply := client(t, outbound.Config{AllowedPrivateNets: nets("0.0.0.0/32")}).Send(t.Context(), post(target))
	require.Equal(t, http.StatusNoContent, reply.Status, reply.TransportError)
	require.Zero(t, fromEnvironment.Load())
}
