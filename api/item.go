package api

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"relay/internal/relay"
)

// field is one of the fields of an item that ingestion looks at. All others pass through unseen.
type field int

const (
	fieldTValue field = iota
	fieldStorefront
	fieldName
	fieldTime
	fieldOrder
	fieldEvent
	fieldRevenue
	fieldCount
)

// rule is the format of a text field.
type rule struct {
	name     string
	required bool
	digits   bool // may be written as a whole number, which is taken as its digits
	lower    bool // is taken in lower case
	max      int  // in characters, of the column that it is stored in; such a field has no control characters
}

// rules of the fields. The t-value names an affiliate; the brief has it among the optional ones.
var rules = [fieldCount]rule{
	fieldTValue:     {name: "t-value", digits: true},
	fieldStorefront: {name: "storefront_id", required: true, max: relay.MaxStorefrontCode},
	fieldName:       {name: "event_name", required: true, lower: true, max: relay.MaxEventType},
	fieldTime:       {name: "event_time", required: true},
	fieldOrder:      {name: "order_id", required: true, digits: true, max: relay.MaxEventID},
	fieldEvent:      {name: "event_id", digits: true, max: relay.MaxEventID},
	fieldRevenue:    {name: "order_revenue"},
}

func (f field) name() string { return rules[f].name }

// fieldNamed is the field with this name, which comes quoted, as it was sent.
func fieldNamed(quoted []byte) (field, bool) {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		text, _ := unquote(quoted)
		name = []byte(text)
	}
	switch string(name) {
	case "t-value":
		return fieldTValue, true
	case "storefront_id":
		return fieldStorefront, true
	case "event_name":
		return fieldName, true
	case "event_time":
		return fieldTime, true
	case "order_id":
		return fieldOrder, true
	case "event_id":
		return fieldEvent, true
	case "order_revenue":
		return fieldRevenue, true
	}
	return 0, false
}

// rawItem is an item as it was sent: its bytes, and among them the values of the fields.
type rawItem struct {
	index  int
	bytes  []byte             // nil of an item that is larger than may be kept
	fields [fieldCount][]byte // empty where there is none
}

func (r *rawItem) tooLarge() bool { return r.bytes == nil || len(r.bytes) > relay.MaxPayload }

// check makes an item of it, or notes in the batch everything that is wrong with it.
func (r *rawItem) check(b *batch) (item, bool) {
	if !utf8.Valid(r.bytes) {
		b.reject(r.index, "", "", codeInvalidUTF8, codeInvalidUTF8.message())
		return item{}, false
	}
	var text [fieldCount]string
	var wrong [fieldCount]code
	bad := r.tooLarge()
	for f := range fieldRevenue {
		text[f], wrong[f] = rules[f].read(r.fields[f])
		bad = bad || wrong[f] != ""
	}
	if at, ok := relay.ParseTime(text[fieldTime]); (!ok || !inCalendar(at)) && wrong[fieldTime] == "" {
		wrong[fieldTime], bad = codeInvalidTime, true
	}
	if !isRevenue(r.fields[fieldRevenue]) {
		wrong[fieldRevenue], bad = codeNotANumber, true
	}
	eventID := text[fieldEvent]
	if eventID == "" && wrong[fieldEvent] == "" {
		eventID = text[fieldOrder]
	}
	if bad {
		r.reject(b, eventID, wrong)
		return item{}, false
	}
	if relay.HasLoneSurrogate(r.bytes) { // in a field that passes through unseen
		b.reject(r.index, eventID, "", codeInvalidCharacter, "the item holds an unpaired surrogate, half a character")
		return item{}, false
	}
	return item{index: r.index, noOffset: !hasOffset(text[fieldTime]), event: relay.NewEvent{
		EventID:        eventID,
		OrderID:        text[fieldOrder],
		Type:           text[fieldName],
		StorefrontCode: text[fieldStorefront],
	}}, true
}

func (r *rawItem) reject(b *batch, eventID string, wrong [fieldCount]code) {
	for f, c := range wrong {
		switch c {
		case "":
		case codeFieldTooLong:
			b.reject(r.index, eventID, rules[f].name, c, "the field is longer than "+strconv.Itoa(rules[f].max)+" characters")
		default:
			b.reject(r.index, eventID, rules[f].name, c, c.message())
		}
	}
	if r.tooLarge() {
		b.reject(r.index, eventID, "", codePayloadTooLarge, codePayloadTooLarge.message())
	}
}

// read returns the text of a JSON value without outer white space, or the code of its error and "".
func (r rule) read(raw []byte) (string, code) {
	s, c := r.text(raw)
	switch {
	case c != "":
		return "", c
	case s == "" && r.required:
		return "", codeMissingField
	case r.max == 0:
		return s, ""
	case utf8.RuneCountInString(s) > r.max:
		return "", codeFieldTooLong
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", codeInvalidCharacter
	}
	return s, ""
}

func (r rule) text(raw []byte) (string, code) {
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return "", ""
	case raw[0] == '"':
		s, ok := unquote(raw)
		if !ok && r.max > 0 {
			return "", codeInvalidCharacter
		}
		s = strings.TrimSpace(s)
		if r.lower {
			s = relay.FoldType(s)
		}
		return s, ""
	case r.digits && isDigits(raw):
		return string(raw), ""
	}
	return "", codeWrongType
}

// unquote is the text of a valid JSON string. It reports false where an escape names half a character.
func unquote(raw []byte) (string, bool) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), err == nil
}

func isDigits(raw []byte) bool {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// hasOffset says whether a valid time names its offset.
func hasOffset(s string) bool {
	return s[len(s)-1]|0x20 == 'z' || s[len(s)-6] == '+' || s[len(s)-6] == '-'
}

// isRevenue takes zero or more, as a number or as a string that spells a JSON number, and nothing at all: null and "" are
// how OMS writes that there is none.
func isRevenue(raw []byte) bool {
	if len(raw) > 0 && raw[0] == '"' {
		s, _ := unquote(raw)
		raw = []byte(strings.TrimSpace(s))
		if len(raw) > 0 && (raw[0] < '0' || raw[0] > '9') {
			return false
		}
	}
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return true
	case raw[0] < '0' || raw[0] > '9' || !jsontext.Value(raw).IsValid():
		return false
	}
	_, err := strconv.ParseFloat(string(raw), 64) // refuses a number that no receiver can hold: 1e999
	return err == nil
}
