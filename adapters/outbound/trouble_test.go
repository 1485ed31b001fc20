package outbound_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// hangUp ends the connection without another byte.
func hangUp(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

// wait lasts until the client disconnects.
func wait(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice
	<-r.Context().Done()
}

func TestATimeOutReportsWhetherTheRequestWasSent(t *testing.T) {
	t.Parallel()
	t.Run("before the send: a server without a TLS handshake", func(t *testing.T) {
		t.Parallel()
		address, accepted := listener(t)
		reply := hasty(t).Send(t.Context(), post("https://"+address))
		require.False(t, reply.Sent)
		require.Equal(t, relay.TransportConnect, reply.TransportError)
		require.EqualValues(t, 1, accepted.Load())
		reply.Repeatable = false
		require.Equal(t, relay.Retry, reply.Result().Outcome, "which is safe to repeat at any platform")
	})
	t.Run("after the send: a server that does not respond", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(_ http.ResponseWriter, r *http.Request) { wait(r) })
		reply := hasty(t).Send(t.Context(), post(s.URL))
		require.True(t, reply.Sent)
		require.Equal(t, relay.TransportTimeout, reply.TransportError)
		require.Zero(t, reply.Status)
		require.GreaterOrEqual(t, reply.Took, 150*time.Millisecond)
		reply.Repeatable = false
		require.Equal(t, relay.Unknown, reply.Result().Outcome)
	})
	t.Run("after the send: a server that stops within its response", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			wait(r)
		})
		reply := hasty(t).Send(t.Context(), post(s.URL))
		require.Equal(t, relay.TransportTimeout, reply.TransportError)
		require.Equal(t, http.StatusOK, reply.Status, "the status arrived")
		require.Equal(t, "half", string(reply.Body))
	})
	t.Run("the caller's own deadline applies", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(_ http.ResponseWriter, r *http.Request) { wait(r) })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		reply := home(t).Send(ctx, post(s.URL))
		require.True(t, reply.Sent)
		require.Equal(t, relay.TransportTimeout, reply.TransportError)
	})
	t.Run("a cancelled caller sends nothing", func(t *testing.T) {
		t.Parallel()
		address, _ := listener(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		reply := home(t).Send(ctx, post("http://"+address))
		require.False(t, reply.Sent)
		require.Equal(t, relay.TransportConnect, reply.TransportError)
	})
}

func TestAFailedConnectionSendsNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	require.NoError(t, l.Close())
	plain := server(t, func(http.ResponseWriter, *http.Request) {})
	for name, url := range map[string]string{
		"a closed port":              "http://" + closed,
		"a name that does not exist": "https://no-such-host.invalid",
		"a server without TLS":       "https://" + plain.Listener.Addr().String(),
		"an invalid port":            "http://127.0.0.1:99999",
		"a name that is too long":    "https://" + strings.Repeat("a", 300) + ".invalid",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply := home(t).Send(t.Context(), post(url))
			require.Equal(t, relay.TransportConnect, reply.TransportError)
			require.False(t, reply.Sent)
		})
	}
}

func TestCutConnection(t *testing.T) {
	t.Parallel()
	t.Run("before the response", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
		reply := home(t).Send(t.Context(), post(s.URL))
		require.True(t, reply.Sent)
		require.Equal(t, relay.TransportCut, reply.TransportError)
		require.Zero(t, reply.Status)
	})
	t.Run("within the response", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		})
		reply := home(t).Send(t.Context(), post(s.URL))
		require.Equal(t, relay.TransportCut, reply.TransportError)
		require.Equal(t, http.StatusOK, reply.Status)
		require.Equal(t, "half", string(reply.Body))
	})
	t.Run("a response that is not HTTP", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n")
				_ = c.Close()
			}
		})
		reply := home(t).Send(t.Context(), post(s.URL))
		require.True(t, reply.Sent)
		require.Equal(t, relay.TransportCut, reply.TransportError)
	})
	t.Run("endless headers", func(t *testing.T) {
		t.Parallel()
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100_000))
		})
		reply := home(t).Send(t.Context(), post(s.URL))
		require.True(t, reply.Sent)
		require.Equal(t, relay.TransportCut, reply.TransportError)
	})
}

// net/http itself repeats a request that it considers idempotent, on a connection that has been used before.
func TestNoExchangeIsRepeated(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if arrived.Add(1)%2 == 0 {
			hangUp(w)
		}
	})
	for _, header := range []string{"", "Idempotency-Key", "X-Idempotency-Key"} {
		arrived.Store(0)
		c := home(t)
		r := post(s.URL)
		if header != "" {
			r.Header[header] = "k1"
		}
		require.Equal(t, http.StatusOK, c.Send(t.Context(), r).Status)
		reply := c.Send(t.Context(), r)
		require.Equal(t, relay.TransportCut, reply.TransportError, header)
		require.True(t, reply.Sent)
		require.EqualValues(t, 2, arrived.Load(), header)
	}
}
