package api

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
)

var errTooLarge = errors.New("more bytes than allowed")

// limited returns errTooLarge instead of the first byte over the limit.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		n, err = int(l.left), errTooLarge
	}
	l.left -= int64(n)
	return n, err
}

// openBody checks the headers of the body and decompresses it; nothing is read if the headers suffice to refuse it, or if
// the bodies in flight leave no room. Both sizes are limited, as sent and as unpacked: little can unpack to much, and much to
// nothing. The source has to be closed.
func openBody(r *http.Request, limit int64, room *budget) (*source, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, refuse(codeUnsupportedMediaType)
	}
	packed, err := isGzip(r.Header)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	expected := max(r.ContentLength, budgetStep)
	if packed {
		expected = min(expected*usualRatio, limit)
	}
	s := &source{r: &limited{r.Body, limit}, room: room}
	if !s.reserve(expected) {
		return nil, tooBusy()
	}
	if packed {
		z, err := gzip.NewReader(s.r)
		if err != nil {
			s.close()
			return nil, readFailure(err)
		}
		s.r = &limited{z, limit}
	}
	return s, nil
}

// usualRatio is how much smaller gzip makes a batch of events.
const usualRatio = 8

// isJSON accepts the types that FastAPI accepts: none at all, application/json, application/anything+json, each with any parameter.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json")
}

func isGzip(h http.Header) (bool, error) {
	codings := h.Values("Content-Encoding")
	codings = slices.DeleteFunc(slices.Clone(codings), func(s string) bool {
		s = strings.TrimSpace(s)
		return s == "" || strings.EqualFold(s, "identity")
	})
	if len(codings) == 0 {
		return false, nil
	}
	coding := strings.ToLower(strings.TrimSpace(codings[0]))
	if len(codings) > 1 || coding != "gzip" && coding != "x-gzip" {
		return false, refuse(codeUnsupportedEncoding)
	}
	return true, nil
}

func tooLarge() *failure {
	return refuseWith(codeBodyTooLarge, "the body is larger than allowed, as sent or as unpacked; send smaller batches")
}

// readFailure translates the error of a body that could not be read to its end.
func readFailure(err error) *failure {
	f := refuse(codeIncompleteBody)
	switch {
	case errors.Is(err, errTooLarge):
		f = tooLarge()
	case errors.Is(err, errBusy):
		f = tooBusy()
	case errors.Is(err, io.ErrUnexpectedEOF):
	case errors.Is(err, os.ErrDeadlineExceeded):
		f = refuse(codeRequestTimeout)
	case isBadGzip(err):
		f = refuse(codeMalformedGzip)
	}
	f.cause = err
	return f
}

func isBadGzip(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, io.EOF) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}
