package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// ServeHTTP2 returns a handler of http.Server.TLSNextProto for "h2". It writes frames itself, because net/http's own server
// cannot refuse a request that it has read completely: GOAWAY before its stream, or REFUSED_STREAM. net/http's client sends
// such a request again by itself.
func ServeHTTP2() map[string]func(*http.Server, *tls.Conn, http.Handler) {
	return map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, conn *tls.Conn, handler http.Handler) {
		ctx, cancel := context.WithCancel(context.Background())
		c := &http2Conn{ctx: ctx, conn: conn, handler: handler, streams: map[uint32]*http2Stream{}}
		_ = c.serve() // an error means that the client closed the connection
		cancel()
		_ = conn.Close()
		c.all.Wait()
	}}
}

const flowWindow = 1 << 30 // more than all bodies of a connection

type http2Conn struct {
	ctx     context.Context //nolint:containedctx // ends with the connection, as net/http's requests do
	conn    *tls.Conn
	handler http.Handler
	streams map[uint32]*http2Stream
	all     sync.WaitGroup

	mu     sync.Mutex // guards writes
	framer *http2.Framer
}

// http2Stream is one request, and the http.ResponseWriter of its response.
type http2Stream struct {
	conn    *http2Conn
	id      uint32
	request *http.Request
	body    bytes.Buffer

	header   http.Header
	status   int
	response bytes.Buffer
	denied   bool
}

func (c *http2Conn) serve() error {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.conn, preface); err != nil {
		return err
	}
	c.framer = http2.NewFramer(c.conn, c.conn)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	err := c.write(func(f *http2.Framer) error {
		if err := f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: flowWindow}); err != nil {
			return err
		}
		return f.WriteWindowUpdate(0, flowWindow)
	})
	for err == nil {
		err = c.read()
	}
	return err
}

func (c *http2Conn) read() error {
	frame, err := c.framer.ReadFrame()
	if err != nil {
		return err
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return c.write((*http2.Framer).WriteSettingsAck)
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return c.write(func(w *http2.Framer) error { return w.WritePing(true, f.Data) })
		}
	case *http2.MetaHeadersFrame:
		c.streams[f.StreamID] = c.newStream(f)
		if f.StreamEnded() {
			c.handle(f.StreamID)
		}
	case *http2.DataFrame:
		if s := c.streams[f.StreamID]; s != nil {
			s.body.Write(f.Data())
			if f.StreamEnded() {
				c.handle(f.StreamID)
			}
		}
	case *http2.RSTStreamFrame:
		delete(c.streams, f.StreamID)
	}
	return nil
}

func (c *http2Conn) newStream(f *http2.MetaHeadersFrame) *http2Stream {
	path, query, _ := strings.Cut(f.PseudoValue("path"), "?")
	r := &http.Request{
		Method: f.PseudoValue("method"), Host: f.PseudoValue("authority"), Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{},
		URL: &url.URL{Path: path, RawQuery: query}, RemoteAddr: c.conn.RemoteAddr().String(),
	}
	for _, field := range f.RegularFields() {
		r.Header.Add(field.Name, field.Value)
	}
	return &http2Stream{conn: c, id: f.StreamID, request: r, header: http.Header{}}
}

// handle responds to a complete request, concurrently with the others of its connection.
func (c *http2Conn) handle(id uint32) {
	s := c.streams[id]
	delete(c.streams, id)
	s.request = s.request.WithContext(c.ctx)
	s.request.Body = io.NopCloser(&s.body)
	c.all.Go(func() {
		defer func() {
			if recover() != nil { // http.ErrAbortHandler: the handler closes the connection
				_ = c.conn.Close()
			}
		}()
		c.handler.ServeHTTP(s, s.request)
		_ = s.finish()
	})
}

func (c *http2Conn) write(do func(*http2.Framer) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return do(c.framer)
}

func (s *http2Stream) Header() http.Header { return s.header }

func (s *http2Stream) WriteHeader(status int) { s.status = status }

func (s *http2Stream) Write(b []byte) (int, error) { return s.response.Write(b) }

// goAway announces that the connection ends and that this request was not processed. A client may send it again by itself.
func (s *http2Stream) goAway() {
	s.denied = true
	_ = s.conn.write(func(f *http2.Framer) error { return f.WriteGoAway(s.id-1, http2.ErrCodeNo, nil) })
}

// refuse announces for this request alone that it was not processed.
func (s *http2Stream) refuse() {
	s.denied = true
	_ = s.conn.write(func(f *http2.Framer) error { return f.WriteRSTStream(s.id, http2.ErrCodeRefusedStream) })
}

func (s *http2Stream) finish() error {
	if s.denied {
		return nil
	}
	if s.status == 0 {
		s.status = http.StatusOK
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	_ = enc.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(s.status)})
	for name, values := range s.header {
		for _, value := range values {
			_ = enc.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value})
		}
	}
	return s.conn.write(func(f *http2.Framer) error {
		err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: s.response.Len() == 0})
		if err != nil || s.response.Len() == 0 {
			return err
		}
		return f.WriteData(s.id, true, s.response.Bytes())
	})
}
