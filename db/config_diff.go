package db

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

// auditFields are the fields of a row that the audit compares, by name.
type auditFields map[string]auditField

// auditField is the value of a field: JSON, or the plain text of a secret, which is compared but never written.
type auditField struct {
	value  string
	secret bool
}

func (f auditFields) add(name string, value any) {
	b, _ := json.Marshal(value) // columns are texts, numbers, booleans and JSON: they always marshal
	f[name] = auditField{value: string(b)}
}

func (f auditFields) addSecret(name string, value relay.Secret) {
	f[name] = auditField{value: value.Reveal(), secret: true}
}

// auditFields reads the fields of a row from its struct, and its secrets from v.
func (c *Collection[T, R, P]) auditFields(row P, v T) auditFields {
	fields, strct := auditFields{}, reflect.ValueOf(row).Elem()
	for _, f := range c.schema().Fields {
		if f.StructField.Tag.Get("audit") != "-" {
			fields.add(f.Name, f.Value(strct).Interface())
		}
	}
	row.auditSecrets(v, fields)
	return fields
}

// diff returns the changed fields. For a secret it contains only set, changed or removed.
func diff(before, after auditFields) []ops.Change {
	var changes []ops.Change
	for name, now := range after {
		was, had := before[name]
		if had && was.value == now.value {
			continue
		}
		word := "set"
		if had && was.value != "" {
			word = "changed"
		}
		if now.value == "" {
			word = "removed"
		}
		changes = append(changes, now.change(name, was.value, now.value, word))
	}
	for name, was := range before {
		if _, still := after[name]; !still {
			changes = append(changes, was.change(name, was.value, "", "removed"))
		}
	}
	slices.SortFunc(changes, func(a, b ops.Change) int { return cmp.Compare(a.Field, b.Field) })
	return changes
}

func (f auditField) change(name, from, to, word string) ops.Change {
	if f.secret {
		return ops.Change{Field: name, To: json.RawMessage(`"` + word + `"`)}
	}
	return ops.Change{Field: name, From: rawJSON(from), To: rawJSON(to)}
}

func rawJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}
