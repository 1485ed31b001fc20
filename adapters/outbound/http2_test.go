package outbound_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// Types and flags of HTTP/2's frames, and two header blocks: ":status: 200" and ":status: 103".
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway = 0, 1, 3, 4, 6, 7

	endStream, ack, endHeaders = 1, 1, 4

	status200, status103 = "\x88", "\x08\x03103"
)

// raw is a server of HTTP/2 that knows frames only, and handles each request by the test's function.
type raw struct {
	url       string
	started   atomic.Int32 // requests whose headers arrived
	completed atomic.Int32
}

type rawConn struct{ net.Conn }

func (c rawConn) frame(kind, flags byte, stream uint32, payload string) bool {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[5:], stream)
	_, err := c.Write(append(head, payload...))
	return err == nil
}

func (c rawConn) reset(stream uint32, code byte) {
	c.frame(frameReset, 0, stream, "\x00\x00\x00"+string(code))
}

func (c rawConn) goAway(last byte) {
	c.frame(frameGoAway, 0, 0, "\x00\x00\x00"+string(last)+"\x00\x00\x00\x00")
}

// rawServer serves until the test ends. started and completed are called for the headers and for the end of a request.
func rawServer(t *testing.T, started, completed func(c rawConn, stream uint32)) *raw {
	t.Helper()
	cert := httptest.NewTLSServer(nil)
	cert.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert.TLS.Certificates, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	r := &raw{url: "https://" + l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			go r.serve(rawConn{c}, started, completed)
		}
	}()
	return r
}

func (r *raw) serve(c rawConn, started, completed func(c rawConn, stream uint32)) {
	defer func() { _ = c.Close() }()
	preface := make([]byte, 24)
	if _, err := io.ReadFull(c, preface); err != nil || !c.frame(frameSettings, 0, 0, "") {
		return
	}
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
		switch {
		case kind == frameSettings && flags&ack == 0:
			c.frame(frameSettings, ack, 0, "")
		case kind == framePing && flags&ack == 0:
			c.frame(framePing, ack, 0, string(payload))
		case kind == frameHeaders:
			r.started.Add(1)
			started(c, stream)
		}
		if (kind == frameHeaders || kind == frameData) && flags&endStream != 0 {
			r.completed.Add(1)
			completed(c, stream)
		}
	}
}

func nothing(rawConn, uint32) {}

// Each of these caused net/http to send the request again, up to eight times a second, or for as long as the server continued.
func TestSendNeverRepeatsARequestOverHTTP2(t *testing.T) {
	t.Parallel()
	goAway := func(c rawConn, _ uint32) { c.goAway(0) }
	const protocolError, cancelled, refused = 1, 8, 7
	reset := func(code byte) func(c rawConn, stream uint32) {
		return func(c rawConn, stream uint32) { c.reset(stream, code) }
	}
	for name, c := range map[string]struct {
		started, completed func(c rawConn, stream uint32)
		want               relay.TransportError
	}{
		"GOAWAY after the request":         {nothing, goAway, relay.TransportUnprocessed},
		"GOAWAY after its headers":         {goAway, nothing, relay.TransportUnprocessed},
		"GOAWAY and the end":               {nothing, func(c rawConn, _ uint32) { c.goAway(0); _ = c.Close() }, ""},
		"REFUSED_STREAM after the request": {nothing, reset(refused), relay.TransportUnprocessed},
		"REFUSED_STREAM after its headers": {reset(refused), nothing, relay.TransportUnprocessed},
		"PROTOCOL_ERROR":                   {nothing, reset(protocolError), relay.TransportCut},
		"CANCEL":                           {nothing, reset(cancelled), relay.TransportCut},
		"the end":                          {nothing, func(c rawConn, _ uint32) { _ = c.Close() }, relay.TransportCut},
	} {
		for kind, change := range map[string]func(*relay.Request){
			"":                          func(*relay.Request) {},
			", with an idempotency key": func(r *relay.Request) { r.Header["Idempotency-Key"] = "k1" },
			", without a body":          func(r *relay.Request) { r.Body = nil },
			", of GET":                  func(r *relay.Request) { r.Method, r.Body = "GET", nil },
		} {
			t.Run(name+kind, func(t *testing.T) {
				t.Parallel()
				s := rawServer(t, c.started, c.completed)
				request := post(s.url)
				change(&request)
				reply := home(t).Send(t.Context(), request)
				require.True(t, reply.Sent)
				require.Zero(t, reply.Status)
				require.EqualValues(t, 1, s.started.Load())
				require.LessOrEqual(t, s.completed.Load(), int32(1))
				if c.want != "" {
					require.Equal(t, c.want, reply.TransportError)
				}
				reply.Repeatable = false
				require.Equal(t, reply.TransportError == relay.TransportUnprocessed, reply.Result().Outcome == relay.Retry,
					"a request that the server did not process may be sent again to any platform")
			})
		}
	}
}

func TestTheNextSendAfterAGOAWAYOpensANewConnection(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	s := rawServer(t, nothing, func(c rawConn, stream uint32) {
		c.frame(frameHeaders, endHeaders|endStream, stream, status200)
		if n.Add(1)%2 == 1 {
			c.goAway(byte(stream)) // as nginx does after keepalive_requests
		}
	})
	c := home(t)
	for range 10 {
		reply := c.Send(t.Context(), post(s.url))
		require.Equal(t, 200, reply.Status, reply.TransportError)
	}
	require.EqualValues(t, 10, s.completed.Load())
}

// endless are servers of HTTP/2 that never come to an end.
var endless = map[string]func(c rawConn, stream uint32){
	"sends nothing": nothing,
	"sends responses of 103": func(c rawConn, stream uint32) {
		for c.frame(frameHeaders, endHeaders, stream, status103) {
			pause()
		}
	},
	"sends an endless body": func(c rawConn, stream uint32) {
		c.frame(frameHeaders, endHeaders, stream, status200)
		for c.frame(frameData, 0, stream, "x") {
			pause()
		}
	},
	"sends endless headers": func(c rawConn, stream uint32) {
		c.frame(frameHeaders, 0, stream, status200)
	},
	"sends pings": func(c rawConn, _ uint32) {
		for c.frame(framePing, 0, 0, "12345678") {
			pause()
		}
	},
}

func pause() { time.Sleep(5 * time.Millisecond) } // of a server that is slow

func TestAnExchangeOfHTTP2EndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	for name, completed := range endless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rawServer(t, nothing, completed)
			endsInTime(t, s.url)
			require.EqualValues(t, 1, s.started.Load())
		})
	}
	t.Run("does not read the body", func(t *testing.T) {
		t.Parallel()
		s := rawServer(t, func(rawConn, uint32) { <-t.Context().Done() }, nothing)
		request := post(s.url)
		request.Body = make([]byte, 4<<20)
		sendInTime(t, request)
	})
}
