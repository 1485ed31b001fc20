package api

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"relay/internal/relay"
)

var errBusy = errors.New("the bodies in flight leave no room")

// budgetStep is by how much a body's reservation grows while it is unpacked.
const budgetStep = 64 << 10

// budget bounds the sum of all bodies in flight. It never waits: a waiting body would keep its memory.
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

func (b *budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}

func tooBusy() *failure {
	return refuse(codeBusy).after(retryAfter)
}

// Bounds of a source's window. Bytes further back than the largest item, with room for those that the decoder has read
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
	again   bool  // the rest of the body is read a second time, its broken items overwritten
	shift   int64 // from an offset of then to the offset in the thinned body
}

func (s *source) Read(p []byte) (int, error) {
	if s.ended != nil {
		return 0, s.ended
	}
	n, err := s.next(p)
	if s.ended != nil {
		return 0, s.ended
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

// next reads the next bytes of the body into p, thinned.
func (s *source) next(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = s.r.Read(p[:min(len(p), maxRead)])
		if s.again {
			continue // counted and thinned before
		}
		s.read += int64(n)
		if !s.reserve(s.read) {
			s.ended = errBusy
			return 0, s.ended
		}
		n = len(s.thinner.thin(p[:n]))
	}
	return n, err
}

// take is the bytes between two offsets, until the next Read; nil where they were too many to be kept.
func (s *source) take(start, end int64) []byte {
	if start < s.base || end-start > relay.MaxPayload || s.thinner.within(start+s.shift, end+s.shift) {
		return nil
	}
	return s.data[start-s.base : end-s.base]
}

// sent returns the offset in the body as it was sent.
func (s *source) sent(offset int64) int64 { return s.thinner.sent(offset + s.shift) }

// resumed is the beginning of a batch that is read from one of its items on.
const resumed = `{"data":[`

// salvage makes the source begin anew at an item, with every broken item overwritten from there on. It returns their
// indexes, and false where no item is broken. start is the offset of the item, or of the comma before it.
func (s *source) salvage(start int64, index int) (map[int]bool, bool, error) {
	if s.again || start < s.base {
		return nil, false, nil
	}
	rest := bytes.Clone(s.data[start-s.base:])
	for p := make([]byte, maxRead); ; {
		n, err := s.next(p)
		rest = append(rest, p[:n]...)
		if err == io.EOF { //nolint:errorlint // readers promise io.EOF itself
			break
		}
		if err != nil {
			return nil, false, err
		}
	}
	if !s.reserve(s.read + int64(len(rest))) {
		return nil, false, errBusy
	}
	before := int64(len(rest))
	if rest = bytes.TrimLeft(rest, " \t\r\n"); index > 0 && bytes.HasPrefix(rest, []byte(",")) {
		rest = rest[1:]
	}
	body, broken, ok := salvage(rest, index)
	s.again, s.data, s.base = true, nil, 0
	s.shift = start + before - int64(len(rest)) - int64(len(resumed))
	s.r = io.MultiReader(strings.NewReader(resumed), bytes.NewReader(body))
	return broken, ok, nil
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

// close releases the reservation. It may be called again.
func (s *source) close() {
	if s.room != nil {
		s.room.release(s.held)
	}
	s.held = 0
}
