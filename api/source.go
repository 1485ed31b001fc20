package api

import (
	"errors"
	"io"
	"sync"

	"relay"
)

var errBusy = errors.New("the bodies in flight leave no room")

// budgetStep is by how much a body's reservation grows while it is unpacked.
const budgetStep = 64 << 10

// budget bounds the sum of all bodies in flight. It never makes anybody wait: a waiting body would hold what it has.
type budget struct {
	mu   sync.Mutex
	left int64
}

func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}

func tooBusy() *failure {
	f := refuse(codeBusy, "other large bodies are being stored; send the same request again after the seconds of Retry-After")
	f.retryAfter = retryAfter
	return f
}

// Bounds of a source's window. What lies further back than an item may be large, with room for what the decoder has read
// ahead, belongs to an item or a value that is not kept.
const (
	maxRead    = 32 << 10
	windowKeep = relay.MaxPayload + 2*maxRead
	windowMost = 2 * windowKeep
)

// source is a request body with a window on its newest bytes: an item is taken from it right after it was read, and one that
// is too large is gone by then. It also counts the bytes, and remembers the error that ended it early.
type source struct {
	r       io.Reader
	thinner thinner
	room    *budget // nil: no limit
	held    int64   // of room
	data    []byte  // the window
	base    int64   // offset of its first byte
	read    int64   // bytes so far, as sent
	ended   error
}

func (s *source) Read(p []byte) (int, error) {
	if s.ended != nil {
		return 0, s.ended
	}
	n, err := 0, error(nil)
	for n == 0 && err == nil {
		n, err = s.r.Read(p[:min(len(p), maxRead)])
		s.read += int64(n)
		if !s.reserve(s.read) {
			s.ended = errBusy
			return 0, s.ended
		}
		n = len(s.thinner.thin(p[:n]))
	}
	if len(s.data)+n > windowMost {
		drop := len(s.data) - windowKeep
		s.data = s.data[:copy(s.data, s.data[drop:])]
		s.base += int64(drop)
	}
	s.data = append(s.data, p[:n]...)
	if err != nil && !errors.Is(err, io.EOF) {
		s.ended = err
	}
	return n, err
}

// take is the bytes between two offsets, until the next Read; nil where they were too many to be kept.
func (s *source) take(start, end int64) []byte {
	if start < s.base || end-start > relay.MaxPayload || s.thinner.within(start, end) {
		return nil
	}
	return s.data[start-s.base : end-s.base]
}

// reserve makes sure that so many bytes in all are accounted for.
func (s *source) reserve(total int64) bool {
	more := total - s.held
	if s.room == nil || more <= 0 {
		return true
	}
	if s.held > 0 {
		more = max(more, budgetStep)
	}
	if !s.room.take(more) {
		return false
	}
	s.held += more
	return true
}

// close gives the room back. It may be called again.
func (s *source) close() {
	if s.room != nil {
		s.room.give(s.held)
	}
	s.held = 0
}
