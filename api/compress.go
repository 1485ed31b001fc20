package api

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// compressFrom is the size from which compression pays: a smaller response fits one or two network packets.
const compressFrom = 1 << 10

// Speed before size: lists of events shrink to a tenth at any level.
var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is a valid one
	return z
}}

// compress compresses JSON responses and pages for clients that accept gzip. It is written by hand because gin-contrib/gzip, a further
// dependency, compresses responses of any size and type and leaves a strong ETag on them.
func compress(c *gin.Context) {
	w := &compressing{ResponseWriter: c.Writer, accepted: acceptsGzip(c.Request.Header)}
	c.Writer = w
	c.Next()
	w.close() // not deferred: an aborted response stays unfinished
}

// acceptsGzip reports whether a client accepts gzip: q=0 means that it does not.
func acceptsGzip(h http.Header) bool {
	accepted := false
	for _, part := range strings.Split(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		q := 1.0
		if text, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameters)), "q="); ok {
			q, _ = strconv.ParseFloat(text, 64) // an invalid number refuses
		}
		accepted = q > 0
		if coding == "gzip" {
			return accepted
		}
	}
	return accepted
}

// compressing holds back the first bytes of a response until it knows whether to compress it.
type compressing struct {
	gin.ResponseWriter
	accepted bool
	decided  bool
	held     []byte
	packer   *gzip.Writer
}

// Written includes the held bytes.
func (w *compressing) Written() bool { return len(w.held) > 0 || w.ResponseWriter.Written() }

func (w *compressing) Write(p []byte) (int, error) {
	if !w.decided {
		if len(w.held)+len(p) <= compressFrom {
			w.held = append(w.held, p...)
			return len(p), nil
		}
		w.decide()
		if err := w.release(); err != nil {
			return 0, err
		}
	}
	if w.packer != nil {
		return w.packer.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets a stream set its deadlines.
func (w *compressing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush sends what there is, however little: a stream must not wait for its first thousand bytes.
func (w *compressing) Flush() {
	if !w.decided {
		w.decide()
	}
	_ = w.release() // the next write fails, too
	if w.packer != nil {
		_ = w.packer.Flush()
	}
	w.ResponseWriter.Flush()
}

func (w *compressing) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// compressible reports whether a type is a text that is sent at once: JSON, and what the console's pages are made of.
func compressible(contentType string) bool {
	switch contentType {
	case "application/problem+json", ndjson, "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8":
		return true
	}
	return isJSON(contentType)
}

// decide is called once there is enough to compress.
func (w *compressing) decide() {
	h := w.Header()
	w.decided = true
	if !compressible(h.Get("Content-Type")) || h.Get("Content-Encoding") != "" {
		return
	}
	h.Add("Vary", "Accept-Encoding")
	if !w.accepted {
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Del("Content-Length")
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		h.Set("ETag", "W/"+tag) // the bytes differ from the uncompressed ones; If-Match accepts both
	}
	w.packer, _ = gzips.Get().(*gzip.Writer)
	w.packer.Reset(w.ResponseWriter)
}

// release writes the held bytes.
func (w *compressing) release() error {
	held := w.held
	w.held = nil
	var err error
	switch {
	case len(held) == 0:
	case w.packer != nil:
		_, err = w.packer.Write(held)
	default:
		_, err = w.ResponseWriter.Write(held)
	}
	return err
}

// close ends the response. Its errors do not matter: the client is gone.
func (w *compressing) close() {
	w.decided = true
	_ = w.release()
	if w.packer != nil {
		_ = w.packer.Close()
		w.packer.Reset(io.Discard)
		gzips.Put(w.packer)
		w.packer = nil
	}
}
