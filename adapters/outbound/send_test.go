package outbound_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestExchangeCarriesTheRequestAsItIs(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Trace", "t1")
		w.Header().Add("X-Trace", "t2")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	before := time.Now()
	reply := home(t).Send(t.Context(), relay.Request{
		Method: "PUT", URL: s.URL + "/mp/collect?b=2&a=1%20",
		Header: map[string]string{"Content-Type": "application/json", "X-Api-Key": "k", "Host": "evil.example", "Content-Length": "3"},
		Body:   []byte(`{"v":80.790}`), Repeatable: true, Validates: true,
	})
	require.Equal(t, "PUT", got.Method)
	require.Equal(t, "/mp/collect?b=2&a=1%20", got.RequestURI)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "k", got.Header.Get("X-Api-Key"))
	require.Equal(t, "marketing-events-relay", got.UserAgent())
	require.Equal(t, s.URL, "http://"+got.Host, "the connection's own headers are not to be overridden")
	require.EqualValues(t, len(body), got.ContentLength)
	require.Equal(t, `{"v":80.790}`, string(body))

	require.Equal(t, relay.NoTransportError, reply.TransportError)
	require.True(t, reply.Sent)
	require.True(t, reply.Repeatable)
	require.True(t, reply.Validates)
	require.Equal(t, http.StatusCreated, reply.Status)
	require.Equal(t, "t1", reply.Get("X-Trace"))
	require.JSONEq(t, `{"ok":true}`, string(reply.Body))
	require.False(t, reply.At.Before(before))
	require.Positive(t, reply.Took)
}

func TestConnectionIsReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader([]int{200, 204, 400, 503, 302}[len(r.URL.Path)%5])
		if len(r.URL.Path)%5 != 1 {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 10_000))
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := home(t)
	path := "/"
	for range 20 {
		path += "x"
		require.Equal(t, relay.NoTransportError, c.Send(t.Context(), post(s.URL+path)).TransportError)
	}
	require.EqualValues(t, 1, opened.Load())
}

func TestHTTPSSpeaksHTTP2AndChecksTheCertificate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems read no SSL_CERT_FILE")
	}
	var proto string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { proto = r.Proto }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	reply := home(t).Send(t.Context(), post(s.URL))
	require.Equal(t, http.StatusOK, reply.Status, reply.TransportError)
	require.True(t, reply.Sent)
	require.Equal(t, "HTTP/2.0", proto)

	proto = ""
	reply = home(t).Send(t.Context(), post("https://localhost:"+portOf(t, s.Listener.Addr().String())))
	require.Equal(t, relay.TransportConnect, reply.TransportError, "the certificate is not for localhost")
	require.False(t, reply.Sent)
	require.Empty(t, proto)
}

func TestAResponseIsReadUpTo64KiB(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	for name, c := range map[string]struct {
		length, want int
		zip          bool
	}{
		"less":                          {100, 100, false},
		"exactly that":                  {limit, limit, false},
		"more":                          {limit + 1, limit, false},
		"much more":                     {8 << 20, limit, false},
		"much more after decompression": {8 << 20, limit, true},
		"an empty body":                 {0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t, func(w http.ResponseWriter, _ *http.Request) {
				out := io.Writer(w)
				if c.zip {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					defer func() { _ = z.Close() }()
					out = z
				}
				_, _ = out.Write(bytes.Repeat([]byte("a"), c.length))
			})
			reply := home(t).Send(t.Context(), post(s.URL))
			require.Equal(t, http.StatusOK, reply.Status)
			require.Equal(t, relay.NoTransportError, reply.TransportError)
			require.Len(t, reply.Body, c.want)
		})
	}
}

func TestNoResultHasTheURLOrASecret(t *testing.T) {
	t.Parallel()
	silent, _ := listener(t)
	cut := server(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	slow := server(t, func(_ http.ResponseWriter, r *http.Request) { wait(r) })
	for name, url := range map[string]string{
		"address": "https://10.0.0.1/private-path", "name": "https://no-such-host.invalid/private-path", "malformed": "http://127.0.0.1/%zz/private-path",
		"handshake": "https://" + silent + "/private-path", "cut": cut.URL + "/private-path", "slow": slow.URL + "/private-path",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply := hasty(t).Send(t.Context(), post(url))
			require.NotEqual(t, relay.NoTransportError, reply.TransportError)
			b, err := json.Marshal(reply)
			require.NoError(t, err)
			for _, shown := range []string{string(b), fmt.Sprintf("%+v %#v", reply, reply), fmt.Sprint(reply.Result())} {
				require.NotContains(t, shown, secret)
				require.NotContains(t, shown, "private-path")
				require.NotContains(t, shown, "10.0.0.1")
			}
		})
	}
}
