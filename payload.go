package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
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
