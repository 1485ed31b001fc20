package outbound_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// endsInTime sends to a server that never comes to an end, by a client that waits 150 ms.
func endsInTime(t *testing.T, url string) relay.Response {
	t.Helper()
	return sendInTime(t, post(url))
}

func sendInTime(t *testing.T, request relay.Request) relay.Response {
	t.Helper()
	c := hasty(t)
	done := make(chan relay.Response, 1)
	go func() { done <- c.Send(t.Context(), request) }()
	select {
	case reply := <-done:
		require.True(t, reply.Sent)
		return reply
	case <-time.After(10 * time.Second):
		t.Fatal("the exchange does not end")
		return relay.Response{}
	}
}

// wild is a server that reads one request of HTTP/1.1 from each connection and then runs the test's function.
func wild(t *testing.T, then func(net.Conn)) (url string, requests *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	requests = &atomic.Int32{}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			go func() {
				request, err := http.ReadRequest(bufio.NewReader(c))
				if err == nil {
					_, _ = io.Copy(io.Discard, request.Body)
					requests.Add(1)
					then(c)
				}
			}()
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return "http://" + l.Addr().String(), requests
}

func say(c net.Conn, format string, args ...any) bool {
	_, err := fmt.Fprintf(c, format, args...)
	return err == nil
}

func TestAnExchangeEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	for name, c := range map[string]struct {
		then   func(net.Conn)
		status int
	}{
		"101, then nothing": {func(c net.Conn) { say(c, switching) }, 101},
		"101, then endless bytes": {func(c net.Conn) {
			for say(c, switching) {
				pause()
			}
		}, 101},
		"101 without the header": {func(c net.Conn) { say(c, "HTTP/1.1 101 Go On\r\n\r\n") }, 101},
		"endless responses of 103": {func(c net.Conn) {
			for say(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") {
				pause()
			}
		}, 0},
		"endless responses of 100": {func(c net.Conn) {
			for say(c, "HTTP/1.1 100 Continue\r\n\r\n") {
				pause()
			}
		}, 0},
		"102, then nothing": {func(c net.Conn) { say(c, "HTTP/1.1 102 Processing\r\n\r\n") }, 0},
		"a slow header": {func(c net.Conn) {
			say(c, "HTTP/1.1 200 OK\r\nX: ")
			for say(c, "x") {
				pause()
			}
		}, 0},
		"a slow body": {func(c net.Conn) {
			say(c, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
			for say(c, "x") {
				pause()
			}
		}, 200},
		"a slow body without a length": {func(c net.Conn) {
			say(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			for say(c, "x") {
				pause()
			}
		}, 200},
		"endless chunks": {func(c net.Conn) {
			say(c, "HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n")
			for say(c, "1\r\nx\r\n") {
				pause()
			}
		}, 503},
		"endless trailers": {func(c net.Conn) {
			say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\nx\r\n0\r\n")
			for say(c, "X: x\r\n") {
				pause()
			}
		}, 200},
		"an upgrade beside 200": {func(c net.Conn) {
			say(c, "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n")
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := wild(t, c.then)
			reply := endsInTime(t, url)
			require.Equal(t, c.status, reply.Status)
			require.NotEqual(t, relay.Accepted, reply.Result().Outcome)
			require.EqualValues(t, 1, requests.Load())
		})
	}
	t.Run("a server that does not read the body", func(t *testing.T) {
		t.Parallel()
		address, _ := listener(t)
		request := post("http://" + address)
		request.Body = make([]byte, 32<<20)
		require.Equal(t, relay.TransportTimeout, sendInTime(t, request).TransportError)
	})
}

// A server that closes idle connections at once: the client meets some of them in the moment of their end.
func TestAnIdleConnectionThatTheServerClosedCostsNoAttempt(t *testing.T) {
	t.Parallel()
	url, requests := wild(t, func(c net.Conn) {
		say(c, "HTTP/1.1 204 No Content\r\n\r\n")
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	})
	c := home(t)
	sent := 0
	for range 300 {
		reply := c.Send(t.Context(), post(url))
		require.NotEqual(t, relay.TransportConnect, reply.TransportError, "the request was not sent, so a second connection was opened")
		if reply.Sent {
			sent++
		}
	}
	require.Equal(t, 300, sent)
	require.LessOrEqual(t, requests.Load(), int32(300), "one row, one request")
}
