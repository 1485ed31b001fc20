package cli

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object in the order in which it is written. Other values are []any, string, json.Number, bool and nil.
type object []member

type member struct {
	name  string
	value any
}

// parseValue reads a JSON value, with its order and its numbers as they are written.
func parseValue(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return readValue(d)
}

func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{name.(string), v}) // the decoder accepts no other name
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// at returns the value at a path such as health.state; nil without one.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		o, _ := v.(object)
		v = nil
		for _, m := range o {
			if m.name == name {
				v = m.value
			}
		}
	}
	return v
}

// listAt returns the list at a path; nil without one.
func listAt(v any, path string) []any {
	list, _ := at(v, path).([]any)
	return list
}

// text is a value in a cell of a table.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return clock(t)
		}
		return strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " ")
	case json.Number:
		return number(v)
	case bool:
		return yesNo(v)
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, text(one))
		}
		return strings.Join(parts, ", ")
	case object:
		var parts []string
		for _, m := range v {
			if t := text(m.value); t != "" {
				parts = append(parts, m.name+"="+t)
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}

// number cuts a measured number to three digits; a whole one stays as it is.
func number(n json.Number) string {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n.String()
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"), ".")
}

// simple reports whether a value fits a cell: no list of objects, and no object with one in it.
func simple(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if _, is := one.(object); is {
				return false
			}
		}
	case object:
		for _, m := range v {
			switch m.value.(type) {
			case object, []any:
				return false
			}
		}
	}
	return true
}
