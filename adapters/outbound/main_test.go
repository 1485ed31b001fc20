package outbound_test

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/internal/relay"
)

const secret = "s3cret"

// loopback is this machine.
var loopback = nets("127.0.0.0/8", "::1/128")

// fromEnvironment counts the requests to the proxy of the environment, which must not be used.
var fromEnvironment atomic.Int32

// TestMain isolates the client, which has no setting for either: the system's certificates are httptest's,
// and HTTP_PROXY names a proxy. Both are read once a process.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fromEnvironment.Add(1) }))
	defer proxy.Close()
	ca := httptest.NewTLSServer(nil)
	defer ca.Close()
	dir, err := os.MkdirTemp("", "outbound")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw}), 0o600); err != nil {
		panic(err)
	}
	for k, v := range map[string]string{"SSL_CERT_FILE": file, "HTTP_PROXY": proxy.URL, "http_proxy": proxy.URL,
		"HTTPS_PROXY": proxy.URL, "https_proxy": proxy.URL, "NO_PROXY": "", "no_proxy": ""} {
		if err := os.Setenv(k, v); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

func client(t *testing.T, c outbound.Config) *outbound.Client {
	t.Helper()
	out := outbound.New(c)
	t.Cleanup(out.Close)
	return out
}

// home is a client that may speak to this machine, with a time-out of five seconds.
func home(t *testing.T) *outbound.Client {
	t.Helper()
	return client(t, outbound.Config{AllowedPrivateNets: loopback, Timeout: 5 * time.Second})
}

// hasty is home with a time-out that a test can wait for.
func hasty(t *testing.T) *outbound.Client {
	t.Helper()
	return client(t, outbound.Config{AllowedPrivateNets: nets("127.0.0.0/8"), Timeout: 150 * time.Millisecond})
}

func nets(cidrs ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, c := range cidrs {
		ps = append(ps, netip.MustParsePrefix(c))
	}
	return ps
}

// post is a request with a secret in each of its parts.
func post(url string) relay.Request {
	return relay.Request{Method: "POST", URL: url + "?api_secret=" + secret, Header: map[string]string{"Authorization": secret},
		Body: []byte(`{"token":"` + secret + `"}`), Repeatable: true}
}

func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// listener is a TCP port of this machine and the number of connections made to it, which it keeps open without a word.
func listener(t *testing.T) (string, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var accepted atomic.Int32
	var open []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			open = append(open, c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range open {
			_ = c.Close()
		}
	})
	return l.Addr().String(), &accepted
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return port
}
