package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Payload is the JSON object of an event. Its values stay the bytes that OMS wrote, so that 80.79, 1e3 and
// 12345678901234567890 leave the relay as they came.
type Payload map[string]json.RawMessage

// ParsePayload reads a JSON object in UTF-8; anything else is an error. Of a repeated key the last value counts.
func ParsePayload(b []byte) (Payload, error) {
	if !utf8.Valid(b) { // encoding/json lets it pass, and the values leave as they came
		return nil, errors.New("payload is not UTF-8")
	}
	var p Payload
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, err
	}
	if p == nil { // the JSON null
		return nil, errors.New("payload is null")
	}
	return p, nil
}

// HasLoneSurrogate reports whether a JSON text has an escape in it that is half a character ("\ud83d"). Encoders make it where
// they cut a text in the middle of an emoji. Readers take it for an error or for another text.
func HasLoneSurrogate(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 || i+1 >= len(b) {
			return false
		}
		r := escaped(b[i:])
		b = b[i+2:]
		if !utf16.IsSurrogate(r) {
			continue
		}
		if len(b) < 4 || utf16.DecodeRune(r, escaped(b[4:])) == utf8.RuneError {
			return true
		}
		b = b[4+6:]
	}
}

// escaped is the code unit of an escape of the form \uXXXX with which b begins; 0 where it is another.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}

// Text is the value of a string, or the digits of a number; "" for anything else and where there is none.
func (p Payload) Text(key string) string {
	raw := bytes.TrimSpace(p[key])
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return strings.TrimSpace(s)
	}
	if isNumber(raw) {
		return string(raw)
	}
	return ""
}

// First is the first non-empty Text among keys.
func (p Payload) First(keys ...string) string {
	for _, k := range keys {
		if s := p.Text(k); s != "" {
			return s
		}
	}
	return ""
}

// Number is a number as it was written, also where it was written as a numeric string ("80.79"); "" where there is none
// and where the text is no JSON number.
func (p Payload) Number(key string) json.Number {
	s := p.Text(key)
	if !isNumber([]byte(s)) {
		return ""
	}
	return json.Number(s)
}

// isNumber reports whether b is one JSON number.
func isNumber(b []byte) bool {
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return false
	}
	return json.Valid(b)
}
