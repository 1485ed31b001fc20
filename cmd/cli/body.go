package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// field is one member of a request's body.
type field struct {
	name   string // in JSON
	kind   fieldKind
	secret bool // it, or members of it
	doc    string
}

type fieldKind int

const (
	textField fieldKind = iota
	boolField
	numberField
	objectField // an object or a list
)

func (f field) flag() string { return strings.ReplaceAll(f.name, "_", "-") }

// fieldsOf lists the members of a body: those of the API's own Go type, so that a new one has its flag at once. Members that the API
// only writes are secrets, as are those that the row lists.
func fieldsOf(body reflect.Type, secrets []string) []field {
	var list []field
	for i := range body.NumField() {
		f := body.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		one := field{name: name, kind: kindOf(f.Type), doc: f.Tag.Get("doc"), secret: f.Tag.Get("writeOnly") == "true"}
		for _, s := range secrets {
			one.secret = one.secret || s == name
		}
		if enum := f.Tag.Get("enum"); enum != "" && !strings.Contains(one.doc, enum) {
			one.doc += " One of " + strings.ReplaceAll(enum, ",", ", ") + "."
		}
		list = append(list, one)
	}
	return list
}

// kindOf is the kind of a type; of a field of a patch, that of its value.
func kindOf(t reflect.Type) fieldKind {
	if t.Kind() == reflect.Struct {
		if v, ok := t.FieldByName("Value"); ok && strings.HasPrefix(t.Name(), "Patched[") {
			return kindOf(v.Type)
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return textField
	case reflect.Bool:
		return boolField
	case reflect.Int, reflect.Int64, reflect.Float64:
		return numberField
	}
	return objectField
}

// bodyFlags are the flags from which a body is made.
type bodyFlags struct {
	fields  []field
	values  map[string]*string
	file    string
	secrets []string
	plain   []string // members of a field with secrets that are none
	parts   string   // the field that bare names of --secret and --field belong to
}

func (b *bodyFlags) add(c *cobra.Command) {
	b.values = map[string]*string{}
	for _, f := range b.fields {
		b.values[f.name] = new(string)
		if f.secret {
			refuse(c, b.values[f.name], f.flag(), fmt.Sprintf("use --secret %s, which asks for it, --secret %s=@FILE, or =- for standard input", b.example(f), b.example(f)))
			continue
		}
		doc := f.doc
		if f.kind == objectField {
			doc += " As JSON, or @FILE."
		}
		c.Flags().Var(&bodyValue{f.kind, b.values[f.name]}, f.flag(), doc)
		if names := map[string]string{"storefront_code": namesOfStorefronts, "platform_code": namesOfPlatforms}[f.name]; names != "" {
			c.Flags().Lookup(f.flag()).Annotations = map[string][]string{namesKey: {names}}
		}
	}
	c.Flags().StringVar(&b.file, "file", "", "file with the whole body as JSON, - is standard input; other flags set single fields of it")
	if secret := b.secretNames(); len(secret) > 0 {
		c.Flags().StringArrayVar(&b.secrets, "secret", nil, "a secret: NAME asks for it, NAME=@FILE reads a file, NAME=- reads standard input, NAME= removes it; "+
			"NAME is "+strings.Join(secret, " or "))
	}
	if b.parts != "" {
		c.Flags().StringArrayVar(&b.plain, "field", nil, "NAME=VALUE: a field of "+b.parts+" that is no secret; NAME= removes it")
	}
}

// example is the name of a secret, for help and errors.
func (b *bodyFlags) example(f field) string {
	switch {
	case f.kind != objectField:
		return f.name
	case f.name == b.parts:
		return "access_token"
	}
	return f.name + ".NAME"
}

func (b *bodyFlags) secretNames() []string {
	var list []string
	for _, f := range b.fields {
		switch {
		case f.secret && f.name == b.parts:
			list = append(list, "the name of a field of "+f.name)
		case f.secret:
			list = append(list, b.example(f))
		}
	}
	return list
}

// bodyValue is the value of a flag for a field.
type bodyValue struct {
	kind fieldKind
	text *string
}

func (v *bodyValue) String() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

func (v *bodyValue) Set(s string) error {
	var n float64
	switch {
	case v.kind == boolField && s != "true" && s != "false":
		return fmt.Errorf("must be true or false")
	case v.kind == numberField && (s == "null" || json.Unmarshal([]byte(s), &n) != nil):
		return fmt.Errorf("must be a number")
	}
	*v.text = s
	return nil
}

// Type is the word for a value in the help.
func (v *bodyValue) Type() string {
	return [...]string{textField: "text", boolField: "true|false", numberField: "number", objectField: "json"}[v.kind]
}

// read makes the body: the file, then the flags. isSecret says which members of the field with parts are secrets; it is asked only
// if there are any, because the relay knows.
func (b *bodyFlags) read(ctx context.Context, c *cobra.Command, t terminal, isSecret func(string) (bool, error)) (map[string]any, error) {
	for _, f := range b.fields {
		if f.secret {
			if err := refused(c, f.flag()); err != nil {
				return nil, err
			}
		}
	}
	if err := b.checkSecrets(); err != nil {
		return nil, err
	}
	body := map[string]any{}
	if b.file != "" {
		var err error
		if body, err = b.readFile(t); err != nil {
			return nil, usagef("--file: %w", err)
		}
	}
	if err := b.setFlags(c, body); err != nil {
		return nil, err
	}
	if err := b.setPlain(body, isSecret); err != nil {
		return nil, err
	}
	if err := b.setSecrets(ctx, body, t); err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, usagef("there is nothing to write: set a field, or --file")
	}
	return body, nil
}

func (b *bodyFlags) setFlags(c *cobra.Command, body map[string]any) error {
	for _, f := range b.fields {
		set := c.Flags().Lookup(f.flag())
		if f.secret || set == nil || !set.Changed {
			continue
		}
		v, err := fieldValue(set, f.kind)
		if err != nil {
			return err
		}
		body[f.name] = v
	}
	return nil
}

func fieldValue(set *pflag.Flag, kind fieldKind) (any, error) {
	given := set.Value.String()
	switch kind {
	case textField:
		return given, nil
	case boolField, numberField:
		return json.RawMessage(given), nil
	}
	raw := []byte(given)
	if file, ok := strings.CutPrefix(given, "@"); ok {
		var err error
		if raw, err = os.ReadFile(file); err != nil {
			return nil, usagef("--%s: %w", set.Name, err)
		}
	}
	if !json.Valid(raw) {
		return nil, usagef("--%s: is not JSON", set.Name)
	}
	return json.RawMessage(bytes.TrimSpace(raw)), nil
}

// setPlain adds the members that are no secrets.
func (b *bodyFlags) setPlain(body map[string]any, isSecret func(string) (bool, error)) error {
	for _, given := range b.plain {
		name, value, ok := strings.Cut(given, "=")
		if !ok || name == "" {
			return usagef("--field: is not NAME=VALUE")
		}
		if value != "" {
			secret, err := isSecret(name)
			if err != nil {
				return err
			}
			if secret {
				return usagef("--field %s: a secret is not read from arguments, which other programs see and shells keep; use --secret %s, =@FILE or =-", name, name)
			}
		}
		if err := setMember(body, b.parts, name, value); err != nil {
			return err
		}
	}
	return nil
}

// setMember sets a member of an object in the body.
func setMember(body map[string]any, of, name string, value any) error {
	members := map[string]any{}
	switch v := body[of].(type) {
	case map[string]any:
		members = v
	case json.RawMessage:
		if json.Unmarshal(v, &members) != nil || members == nil {
			return usagef("--file: %s is not an object", of)
		}
	}
	members = maps.Clone(members)
	members[name] = value
	body[of] = members
	return nil
}
