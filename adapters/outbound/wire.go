package outbound

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// One Send is one request on the wire. net/http would repeat a request by itself: after a GOAWAY or REFUSED_STREAM of
// HTTP/2, on a connection that the server has closed, for methods and headers that it takes for idempotent. It needs a body
// that it can rewind, or none: onceBody is neither.
type onceBody struct{ io.Reader }

// Close does nothing: the bytes are ours.
func (onceBody) Close() error { return nil }

// countedConn counts the bytes written to a connection, TLS included.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

func counted(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: c}, nil
	}
}

// wire watches whether bytes of one request may have left.
type wire struct {
	headers atomic.Bool  // net/http has started to write them, at least to its buffer
	conn    *countedConn // nil while there is none
	before  int64        // the bytes written to it for other requests
	reused  bool
}

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			c := info.Conn
			if encrypted, ok := c.(*tls.Conn); ok {
				c = encrypted.NetConn()
			}
			w.reused = info.Reused
			if w.conn, _ = c.(*countedConn); w.conn != nil {
				w.before = w.conn.written.Load()
			}
		},
		WroteHeaderField: func(string, []string) { w.headers.Store(true) },
	}
}

// sent reports whether bytes may have left. On a connection of HTTP/2 those of other requests count too: that errs to the
// safe side. After its time is over a request may still be on its way to the connection.
func (w *wire) sent(ctx context.Context) bool {
	if w.conn == nil {
		return w.headers.Load()
	}
	return ctx.Err() != nil || w.headers.Load() && w.conn.written.Load() > w.before
}
