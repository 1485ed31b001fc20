package canonical

import (
	"bytes"
	"encoding/json"

	"relay/internal/relay"
)

// Pass is a payload as far as the admin's lists let it leave, for a destination that gets the payload as it is. A list may
// name fields, and parts of them at any depth ("patient.name", "items.sku"). The rest is as it was written.
func Pass(p relay.Payload, o relay.Options) map[string]json.RawMessage {
	return newLists(o).pass(p, "")
}

// Denies reports whether the admin forbids a field by name, however it is spelled.
func Denies(o relay.Options, field string) bool { return covers(newLists(o).deny, field) }

func (l lists) pass(fields map[string]json.RawMessage, prefix string) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(fields))
	for name, raw := range fields {
		path := prefix + name
		if covers(l.deny, path) {
			continue
		}
		whole := len(l.allow) == 0 || covers(l.allow, path)
		if !whole && !within(l.allow, path) {
			continue
		}
		if !whole || within(l.deny, path) {
			raw = l.inside(raw, path, whole)
		}
		if raw != nil {
			out[name] = raw
		}
	}
	return out
}

// inside is a value without the parts that may not leave; nil if none may. whole says that a value without parts may leave.
func (l lists) inside(raw json.RawMessage, path string, whole bool) json.RawMessage {
	raw = bytes.TrimSpace(raw)
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &object) == nil:
		return encoded(l.pass(object, path+"."))
	case len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &list) == nil:
		kept := make([]json.RawMessage, 0, len(list))
		for _, element := range list {
			if element = l.inside(element, path, whole); element != nil {
				kept = append(kept, element)
			}
		}
		return encoded(kept)
	case whole:
		return raw
	}
	return nil
}
