package outbound_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/internal/relay"
)

// inside are addresses that no destination may have.
var inside = []string{
	"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
	"169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.88.99.1", "198.18.0.1", "198.19.255.255",
	"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:100.64.0.1]", "[::ffff:0.1.2.3]",
	"[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[100::1]", "[2001::1]",
	"[2002:7f00:1::]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]",
}

// outside are ordinary addresses, some of them next to the others.
var outside = []string{
	"8.8.8.8", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "169.253.255.255", "100.63.255.255",
	"100.128.0.0", "198.17.255.255", "223.255.255.255", "[::ffff:8.8.8.8]", "[2606:4700:4700::1111]", "[2a00:1450::1]",
}

func TestPrivateAddressesAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	c := client(t, outbound.Config{})
	for _, host := range inside {
		for _, scheme := range []string{"https://", "http://"} {
			for _, port := range []string{"", ":8443"} {
				reply := c.Send(t.Context(), post(scheme+host+port+"/latest/meta-data"))
				require.Equal(t, relay.TransportAddress, reply.TransportError, scheme+host)
				require.False(t, reply.Sent)
				require.Zero(t, reply.Status)
			}
		}
	}
}

// With a proxy no test needs the internet to see that an address passes: the proxy is asked for it.
func TestPublicAddressesAreAllowedOverHTTPSOnly(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	c := client(t, outbound.Config{Proxy: p.url})
	for _, host := range outside {
		require.Equal(t, relay.TransportConnect, c.Send(t.Context(), post("https://"+host+"/collect")).TransportError, host)
		require.Equal(t, relay.TransportAddress, c.Send(t.Context(), post("http://"+host+"/collect")).TransportError, host)
	}
	asked := p.requests()
	require.Len(t, asked, len(outside))
	for i, host := range outside {
		require.Equal(t, "CONNECT "+host+":443", asked[i])
	}
}

func TestANameIsCheckedByItsResolvedAddress(t *testing.T) {
	t.Parallel()
	address, accepted := listener(t)
	c := client(t, outbound.Config{})
	for _, scheme := range []string{"https", "http"} {
		reply := c.Send(t.Context(), post(scheme+"://localhost:"+portOf(t, address)+"/collect"))
		require.Equal(t, relay.TransportAddress, reply.TransportError, scheme)
		require.False(t, reply.Sent)
	}
	require.Zero(t, accepted.Load(), "no connection reached the port")
}

func TestOtherSpellingsOfLoopbackAreRefused(t *testing.T) {
	t.Parallel()
	address, accepted := listener(t)
	c := client(t, outbound.Config{})
	for _, host := range []string{"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "LOCALHOST", "localhost."} {
		reply := c.Send(t.Context(), post("https://"+host+":"+portOf(t, address)+"/collect"))
		require.Contains(t, []relay.TransportError{relay.TransportAddress, relay.TransportConnect}, reply.TransportError, host)
		require.False(t, reply.Sent)
	}
	require.Zero(t, accepted.Load())
}

func TestAllowedPrivateNetsOpenExactlyThose(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	port := portOf(t, strings.TrimPrefix(s.URL, "http://"))
	c := client(t, outbound.Config{AllowedPrivateNets: nets("127.0.0.1/32", "10.20.0.0/16")})
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]"} {
		require.Equal(t, http.StatusNoContent, c.Send(t.Context(), post("http://"+host+":"+port+"/")).Status, host)
	}
	for _, host := range []string{"127.0.0.2", "[::1]", "10.0.0.1", "10.21.0.1", "169.254.169.254", "[::ffff:127.0.0.2]", "[64:ff9b::127.0.0.1]", "8.8.8.8"} {
		require.Equal(t, relay.TransportAddress, c.Send(t.Context(), post("http://"+host+":"+port+"/")).TransportError, host)
	}
	t.Run("by name", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusNoContent, home(t).Send(t.Context(), post("http://localhost:"+port+"/")).Status)
	})
}

func TestOtherSchemesUsersAndMalformedURLsAreRefused(t *testing.T) {
	t.Parallel()
	address, accepted := listener(t)
	c := home(t)
	for url, want := range map[string]relay.TransportError{
		"ftp://" + address + "/":              relay.TransportAddress,
		"file:///etc/passwd":                  relay.TransportAddress,
		"gopher://" + address + "/":           relay.TransportAddress,
		"//" + address + "/":                  relay.TransportAddress,
		"/collect":                            relay.TransportAddress,
		"":                                    relay.TransportAddress,
		"https:///collect":                    relay.TransportAddress,
		"http://user:s3cret@" + address + "/": relay.TransportAddress,
		"http://" + address + "/%zz":          relay.TransportBadURL,
		"http://" + address + "/\x00":         relay.TransportBadURL,
		"http://a b/":                         relay.TransportBadURL,
		"http://[::1/":                        relay.TransportBadURL,
	} {
		reply := c.Send(t.Context(), post(url))
		require.Equal(t, want, reply.TransportError, url)
		require.False(t, reply.Sent)
	}
	require.Equal(t, relay.TransportBadURL, c.Send(t.Context(), relay.Request{Method: "NO METHOD", URL: "http://" + address}).TransportError)
	require.Zero(t, accepted.Load())
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	t.Parallel()
	address, accepted := listener(t)
	var hits int
	var status int
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		hits++
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(status)
	})
	c := home(t)
	for _, status = range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{"http://" + address + "/latest/meta-data", "http://169.254.169.254/", "https://example.com/", "/elsewhere"} {
			hits = 0
			r := post(s.URL)
			r.URL = s.URL + "/collect?to=" + to
			reply := c.Send(t.Context(), r)
			require.Equal(t, status, reply.Status)
			require.Equal(t, relay.NoTransportError, reply.TransportError)
			require.Equal(t, relay.ReasonRedirect, reply.Result().Reason)
			require.Equal(t, 1, hits)
		}
	}
	require.Zero(t, accepted.Load())
}
