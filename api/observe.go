package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
	logKey          = "relay.line"
)

// requestLog is the one log line of a request. Of the client's own texts it holds only a valid request id.
type requestLog struct {
	id    string
	attrs []slog.Attr
	code  code
	cause error
	quiet bool // of no interest as long as all is well
}

func (l *requestLog) add(attrs ...slog.Attr) { l.attrs = append(l.attrs, attrs...) }

func (l *requestLog) fail(f *failure) { l.code, l.cause = f.code, f.cause }

func logOf(c *gin.Context) *requestLog { return c.MustGet(logKey).(*requestLog) }

// observe sets the id of a request, turns a panic into a problem document and writes the log line.
func (s *server) observe(c *gin.Context) {
	began := time.Now()
	l := &requestLog{id: requestID(c.GetHeader(requestIDHeader))}
	c.Set(logKey, l)
	c.Header(requestIDHeader, l.id)
	end := s.trace(c)
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler { //nolint:errorlint // net/http compares the recovered value, too
			s.fail(c, l, panicError(v))
			l.add(slog.String("stack", string(debug.Stack())))
		}
		took := time.Since(began)
		s.log(c, l, took)
		if s.deps.Meter != nil {
			s.deps.Meter.Request(methodOf(c), routeOf(c), c.Writer.Status(), took)
		}
		end(methodOf(c), routeOf(c), c.Writer.Status())
		if v == http.ErrAbortHandler { //nolint:errorlint // see above
			panic(v)
		}
	}()
	c.Next()
}

// panicError is a recovered value for the log: Go's own text for a runtime error, but only the type of any other value,
// which may hold anything.
func panicError(v any) error {
	var re runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &re) {
		return fmt.Errorf("panic: %w", re)
	}
	return fmt.Errorf("panic with a %T", v)
}

func (s *server) log(c *gin.Context, l *requestLog, took time.Duration) {
	status := c.Writer.Status()
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status >= http.StatusBadRequest:
		level = slog.LevelWarn
	case l.quiet:
		level = slog.LevelDebug
	}
	attrs := append([]slog.Attr{
		slog.String("method", methodOf(c)), slog.String("route", routeOf(c)), slog.Int("status", status),
		slog.Duration("duration", took), slog.String("request_id", l.id),
	}, l.attrs...)
	if l.code != "" {
		attrs = append(attrs, slog.String("code", string(l.code)))
	}
	if l.cause != nil {
		attrs = append(attrs, slog.String("error", l.cause.Error()))
	}
	// The client may be gone; its line is written all the same.
	s.deps.Log.LogAttrs(context.WithoutCancel(c.Request.Context()), level, "http.request", attrs...)
}

// trace starts the span of the request, and returns the function that ends it.
func (s *server) trace(c *gin.Context) func(method, route string, status int) {
	if s.deps.Tracer == nil {
		return func(string, string, int) {}
	}
	ctx, end := s.deps.Tracer.Request(c.Request)
	c.Request = c.Request.WithContext(ctx)
	return end
}

// methodOf is a method that some route has, or other: a client may send any word.
func methodOf(c *gin.Context) string {
	switch m := c.Request.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// routeOf is the route as it was declared: a path may hold anything.
func routeOf(c *gin.Context) string { return cmp.Or(c.FullPath(), "none") }

// requestID is the client's own id where it is sane, else a new one.
func requestID(sent string) string {
	if sent == "" || len(sent) > maxRequestID {
		return rand.Text()
	}
	for _, r := range []byte(sent) {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' && r != ':' {
			return rand.Text()
		}
	}
	return sent
}
