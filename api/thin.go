package api

import "relay/internal/relay"

// thinner shortens every string, number and run of white space that is longer than an item may be, byte by byte, as the body
// arrives. Without it the decoder, which needs each token in one piece, would hold a whole body. The rest is valid JSON
// where the body was, and invalid where it was not; an item in which something was left out is too large.
type thinner struct {
	place grammar
	hex   int  // digits of a \u escape that are still to come
	leave bool // of an escape: it is left out
	class byte // of the run: digits, white space or anything else
	run   int  // bytes of the string, or of the same class, so far
	out   int64
	cuts  []cut
}

// cut says where, in the thinned body, how many bytes were left out.
type cut struct{ at, bytes int64 }

// grammar is the part of JSON that a byte belongs to.
type grammar byte

const (
	outside grammar = iota // of a string
	inside                 // of a string
	escaped                // after a backslash
	coded                  // after \u
)

const (
	other byte = iota
	digit
	blank
)

// invalid replaces an invalid character of a part that is left out: no string may hold it.
const invalid = 0x01

// thin shortens p in place.
func (t *thinner) thin(p []byte) []byte {
	kept := p[:0]
	for _, c := range p {
		c, keep := t.step(c)
		if keep {
			kept = append(kept, c)
			continue
		}
		at := t.out + int64(len(kept))
		if n := len(t.cuts); n > 0 && t.cuts[n-1].at == at {
			t.cuts[n-1].bytes++
		} else {
			t.cuts = append(t.cuts, cut{at, 1})
		}
	}
	t.out += int64(len(kept))
	return kept
}

// step moves over one byte; it returns the byte to keep, if one is kept.
func (t *thinner) step(c byte) (byte, bool) {
	switch t.place {
	case inside:
		return t.text(c)
	case escaped, coded:
		return t.escape(c)
	}
	class := classes[c]
	if class != t.class {
		t.class, t.run = class, 0
	}
	t.run++
	if c == '"' {
		t.place, t.run = inside, 0
	}
	return c, class == other || t.run <= relay.MaxPayload
}

func (t *thinner) text(c byte) (byte, bool) {
	t.run++
	switch c {
	case '"':
		t.place, t.class = outside, other
		return c, true
	case '\\':
		t.place, t.leave = escaped, t.run > relay.MaxPayload
		return c, !t.leave
	}
	return c, t.run <= relay.MaxPayload || c < ' ' // a raw control character, which is invalid
}

func (t *thinner) escape(c byte) (byte, bool) {
	t.run++
	valid := false
	switch {
	case t.place == escaped && c == 'u':
		t.place, t.hex, valid = coded, 4, true
	case t.place == escaped:
		t.place, valid = inside, simpleEscapes[c]
	default:
		if t.hex--; t.hex == 0 {
			t.place = inside
		}
		valid = hexDigits[c]
	}
	switch {
	case !t.leave:
		return c, true
	case valid:
		return c, false
	}
	t.place = inside
	return invalid, true
}

// within reports whether something was left out between two offsets of the thinned body.
func (t *thinner) within(start, end int64) bool {
	for i := len(t.cuts) - 1; i >= 0 && t.cuts[i].at > start; i-- {
		if t.cuts[i].at < end {
			return true
		}
	}
	return false
}

// sent is an offset of the thinned body in the body as it was sent.
func (t *thinner) sent(offset int64) int64 {
	sent := offset
	for _, c := range t.cuts {
		if c.at <= offset {
			sent += c.bytes
		}
	}
	return sent
}

var (
	classes       = table("0123456789", digit, " \t\r\n", blank)
	simpleEscapes = set(`"\/bfnrt`)
	hexDigits     = set("0123456789abcdefABCDEF")
)

func table(digits string, d byte, blanks string, b byte) (t [256]byte) {
	for i := range len(digits) {
		t[digits[i]] = d
	}
	for i := range len(blanks) {
		t[blanks[i]] = b
	}
	return t
}

func set(bytes string) (s [256]bool) {
	for i := range len(bytes) {
		s[bytes[i]] = true
	}
	return s
}
