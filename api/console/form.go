package console

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// input is one field of a form, as templates write it.
type input struct {
	Name, Label, Help string
	Kind              string // text, secret, check, select, lines or number
	Value             string
	Choices           []string
	Required          bool
	Set               bool   // of a secret: one is stored
	Hint              string // of a secret: its last characters
	Removed           bool   // of a secret: its removal was asked for by a form that was refused
	Stored            string // what is stored now, where the form was sent with something else
	Problem           string
}

// Checked reports whether a box is ticked.
func (i input) Checked() bool { return i.Value == "true" }

// sent is what a field shows: what a refused form was sent with, else what is stored. A secret shows neither.
func (v *visit) input(i input, stored string, field string) input {
	i.Value = stored
	if len(v.form) == 0 {
		return i
	}
	i.Problem = v.problem.Of(field)
	if i.Kind == "secret" {
		i.Removed = v.removes(i.Name)
		return i
	}
	i.Value = v.form.Get(i.Name)
	if i.Kind == "check" {
		i.Value = strconv.FormatBool(v.form.Has(i.Name))
		stored = cmp.Or(stored, "false")
	}
	if i.Value != stored && v.problem.changed() {
		i.Stored = cmp.Or(stored, "nothing")
	}
	return i
}

// removes reports whether a form asks for the removal of a secret: that is ticked, and no new one is written.
func (v *visit) removes(name string) bool {
	return v.form.Has("remove."+name) && v.form.Get(name) == ""
}

// changed reports whether the problem is that someone else was faster.
func (p *Problem) changed() bool { return p != nil && p.Status == http.StatusPreconditionFailed }

// text is a value of REST's JSON as a form has it.
func text(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case []any:
		var lines []string
		for _, one := range t {
			lines = append(lines, fmt.Sprint(one))
		}
		return strings.Join(lines, "\n")
	}
	return fmt.Sprint(v)
}

// record is one thing of the configuration, as REST lists it.
type record struct {
	ID      int64
	Version string // of what was read: a change is based on it
	fields  map[string]any
}

// Get is a field as a text.
func (r record) Get(name string) string { return text(r.fields[name]) }

// Map is a field that has fields.
func (r record) Map(name string) map[string]any {
	m, _ := r.fields[name].(map[string]any)
	return m
}

func newRecord(raw json.RawMessage) (record, error) {
	var compact bytes.Buffer
	var r record
	if err := json.Compact(&compact, raw); err != nil {
		return r, err
	}
	sum := sha256.Sum256(compact.Bytes())
	r.Version = hex.EncodeToString(sum[:12])
	d := json.NewDecoder(&compact)
	d.UseNumber()
	err := d.Decode(&r.fields)
	r.ID, _ = strconv.ParseInt(r.Get("id"), 10, 64)
	return r, err
}

// find reads the one thing that a list has under a filter; its id is 0 where it has none.
func (v *visit) find(path string, q url.Values) (record, error) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := v.get(path, q, &list); err != nil || len(list.Items) == 0 {
		return record{}, err
	}
	return newRecord(list.Items[0])
}

// read reads a thing alone, with the tag that REST guards its changes by.
func (v *visit) read(path string) (record, string, error) {
	var raw json.RawMessage
	header, err := v.do(call{method: http.MethodGet, path: path}, &raw)
	if err != nil {
		return record{}, "", err
	}
	r, err := newRecord(raw)
	return r, header.Get("ETag"), err
}

// stale refuses a form that was made of another version of a thing.
func (v *visit) stale(now record) error {
	if now.Version == v.form.Get("version") {
		return nil
	}
	return &Problem{Status: http.StatusPreconditionFailed, Code: "version_mismatch", RequestID: v.id,
		Detail: "It was changed since this form was shown. Nothing was done."}
}

// change patches or deletes a thing as it was when its form was shown. The version is that of the form, and the tag of REST
// guards what happens between the two calls. body makes what is sent of what is stored; nil sends nothing.
func (v *visit) change(method, path string, body func(record) any) error {
	now, tag, err := v.read(path)
	if err != nil {
		return err
	}
	if err := v.stale(now); err != nil {
		return err
	}
	k := call{method: method, path: path, match: tag}
	if body != nil {
		k.body = body(now)
	}
	_, err = v.do(k, nil)
	return err
}

// changedBy are the latest changes of a thing, for a form that came too late.
func (v *visit) changedBy(entity string, id int64) []AuditLine {
	var list struct{ Items []AuditLine }
	if !v.problem.changed() || id == 0 || v.get("/admin/v1/audit", join("entity", entity, "entity_id", strconv.FormatInt(id, 10), "limit", "3"), &list) != nil {
		return nil
	}
	return list.Items
}

// lines are the lines of a field for several values.
func lines(s string) []string {
	list := slices.Collect(strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' }))
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// numeral is a text as JSON has a number. What is none there, such as .5 or 05, is left to REST, which names its field.
func numeral(s string) any {
	if _, err := strconv.ParseFloat(s, 64); err != nil || !json.Valid([]byte(s)) {
		return s
	}
	return json.Number(s)
}
