package relay

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const eventTimeField = "event_time"

// rfc3339 is the form of the standard, its lower-case letters included, except that the offset may be missing. time.Parse
// alone takes more: a comma before the fraction, hours of one digit, offsets of sixty minutes.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?$`)

// ParseTime reads an RFC 3339 time of the years 1 to 9999; one without an offset is UTC. The API accepts this form.
func ParseTime(s string) (time.Time, bool) {
	m := rfc3339.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	s = strings.ToUpper(s)
	if m[2] == "" {
		s += "Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if year := t.UTC().Year(); err != nil || year < 1 || year > 9999 {
		return time.Time{}, false
	}
	return t, true
}

// ReadTime parses an event time of a row: the forms of ParseTime, also with a space for the T as in MySQL's DATETIME, and Unix
// seconds or milliseconds.
func ReadTime(s string) (time.Time, bool) {
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	if t, ok := ParseTime(s); ok {
		return t, true
	}
	return unixTime(s)
}

// Unix times are taken from 1973, where seconds have nine digits, to 2100. So no count of seconds is read as milliseconds,
// and a date that is written as digits (20261110102500) is neither.
const (
	firstUnix = 1e8
	lastUnix  = 4102444800
)

func unixTime(s string) (time.Time, bool) {
	if !isNumber([]byte(s)) {
		return time.Time{}, false
	}
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
	case n >= firstUnix && n < lastUnix:
		return time.UnixMicro(int64(math.Round(n * 1e6))), true
	case n >= firstUnix*1e3 && n < lastUnix*1e3:
		return time.UnixMicro(int64(math.Round(n * 1e3))), true
	}
	return time.Time{}, false
}

// EventTime is the payload's event_time. stated reports whether there is one: null and the empty text are none. ok reports
// whether it can be read.
func (p Payload) EventTime() (t time.Time, stated, ok bool) {
	raw := bytes.TrimSpace(p[eventTimeField])
	if len(raw) == 0 || raw[0] == 'n' {
		return time.Time{}, false, false
	}
	text := p.Text(eventTimeField)
	if text == "" {
		return time.Time{}, raw[0] != '"', false
	}
	t, ok = ReadTime(text)
	return t, true, ok
}

// Time returns the time of the event in UTC: the payload's event_time, else the time at which the row was created.
func (e Event) Time() time.Time {
	if t, _, ok := e.Payload.EventTime(); ok {
		return t.UTC()
	}
	if t, err := time.Parse(time.RFC3339Nano, e.Payload.Text(eventTimeField)); err == nil && e.Source == SourceAPI {
		return t.UTC() // an earlier version took it in
	}
	return e.CreatedAt.UTC()
}

// CheckTime refuses an event whose time is stated and cannot be read: taken as the row's, an old order would leave as a sale
// of today. The API has checked its own items.
func (e Event) CheckTime() error {
	if _, stated, ok := e.Payload.EventTime(); stated && !ok && e.Source != SourceAPI {
		return Refuse(ReasonInvalidField, eventTimeField)
	}
	return nil
}

// Age returns the time between the event and Now.
func (e Event) Age() time.Duration { return e.Now.Sub(e.Time()) }
