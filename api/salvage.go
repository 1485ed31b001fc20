package api

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Some items are not JSON although it is plain where they end: NaN, a byte order mark or another character that is not seen before the item, more levels than a
// decoder takes, a control character in a text. They cost themselves, not their batch: each is overwritten with a number of
// the same length, and the batch is decoded again. Where it is not plain where an item ends, as after an unescaped quote, the
// whole batch is refused.

// salvage is the body with its broken items overwritten, and their indexes. It reports false where there are none, or where
// an end of the list cannot be found. The body begins with the item of the index first.
func salvage(body []byte, first int) ([]byte, map[int]bool, bool) {
	s := scanner{text: body}
	broken := map[int]bool{}
	var patched []byte
	for index := first; index <= maxItems; index++ {
		from, to, ok := s.item()
		if !ok {
			return nil, nil, false
		}
		if from < to && !decodes(body[from:to]) {
			if patched == nil {
				patched = bytes.Clone(body)
			}
			for i := from; i < to; i++ {
				patched[i] = ' '
			}
			patched[from] = '0'
			broken[index] = true
		}
		if s.next() == ']' {
			return patched, broken, patched != nil
		}
		s.at++ // the comma
	}
	return patched, broken, patched != nil // too many items, which is said of the batch
}

// decodes reports whether the batch's decoder takes an item, at the depth that it has in the batch.
func decodes(item []byte) bool {
	dec := jsontext.NewDecoder(io.MultiReader(strings.NewReader("[["), bytes.NewReader(item), strings.NewReader("]]")),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return dec.SkipValue() == nil
}

// scanner finds where items end, without asking whether they are JSON.
type scanner struct {
	text []byte
	at   int
}

// skip passes white space of every kind, and invisible characters: byte order marks, zero-width and control characters.
func (s *scanner) skip() {
	for s.at < len(s.text) {
		r, size := utf8.DecodeRune(s.text[s.at:])
		if !unicode.IsSpace(r) && !unicode.Is(unicode.C, r) {
			return
		}
		s.at += size
	}
}

// next is the byte at the place; 0 behind the end.
func (s *scanner) next() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// item passes one item, as far as the comma or bracket behind it. Characters around the item other than white space belong to it.
func (s *scanner) item() (from, to int, ok bool) {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
	from = s.at
	var open []byte // brackets, innermost last
	value := false  // a text, a word or a closed bracket came before: a value cannot follow at once
	for {
		s.skip()
		c := s.next()
		switch {
		case c == 0 && s.at >= len(s.text):
			return 0, 0, false
		case len(open) == 0 && (c == ',' || c == ']'):
			return from, s.at, value
		case c == ',' || c == ':':
			value = false
			s.at++
		case c == '}' || c == ']':
			if len(open) == 0 || open[len(open)-1] != c-2 { // in ASCII, brackets of a pair are two apart
				return 0, 0, false
			}
			open, value = open[:len(open)-1], true
			s.at++
		case value:
			return 0, 0, false
		case c == '{' || c == '[':
			open = append(open, c)
			s.at++
		case c == '"':
			if !s.quoted() {
				return 0, 0, false
			}
			value = true
		default:
			s.word()
			value = true
		}
	}
}

// quoted passes a text in quotes.
func (s *scanner) quoted() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	return false
}

// word passes a word without quotes: a number, true, NaN.
func (s *scanner) word() {
	if n := bytes.IndexAny(s.text[s.at:], " \t\r\n\",:{}[]"); n > 0 {
		s.at += n
		return
	}
	s.at = len(s.text)
}
