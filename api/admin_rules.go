package api

import (
	"context"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"relay/internal/ops"
	"relay/internal/relay"
)

// violations collects the errors of a body that its schema cannot express.
type violations struct{ list []FieldError }

func (v *violations) add(field string, c code, message string) {
	v.list = append(v.list, FieldError{sane(field), c, message})
}

func (v *violations) err() error {
	slices.SortStableFunc(v.list, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	return refuseFields(v.list)
}

// line refuses control characters in a text of one line.
func (v *violations) line(field, text string) {
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		v.add(field, codeInvalidCharacter, codeInvalidCharacter.message())
	}
}

// same refuses another value for a field that never changes; zero means that the body does not name it.
func same[T comparable](v *violations, field string, sent, stored T) {
	var none T
	if sent != none && sent != stored {
		v.add(field, codeImmutableField, "the field cannot be changed")
	}
}

// address refuses a URL that the relay would not send to.
func (v *violations) address(ctx context.Context, check func(context.Context, string) error, field, raw string) {
	if raw == "" {
		return
	}
	if err := check(ctx, raw); err != nil {
		v.add(field, codeInvalidURL, err.Error())
	}
}

// optionNames are the options that an adapter's error may name.
var optionNames = func() []string {
	var names []string
	for field := range reflect.TypeFor[Options]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}()

// settings reads an adapter's error, which is "field: text", where nothing else is wrong. fields are those that it may
// name beside the options, prefix is where they are.
func (v *violations) settings(err error, prefix string, fields ...string) {
	if err == nil || len(v.list) > 0 {
		return
	}
	field, words, ok := strings.Cut(err.Error(), ": ")
	switch {
	case ok && slices.Contains(fields, field):
	case ok && slices.Contains(optionNames, field):
		prefix = "options."
	default:
		field, prefix, words = "", strings.TrimSuffix(prefix, "."), "the destination does not accept these settings"
	}
	c := codeInvalidValue
	if strings.HasSuffix(field, "_url") || field == "url" {
		c = codeInvalidURL
	}
	v.add(prefix+field, c, words)
}

var (
	lengths       = regexp.MustCompile(`^([0-9]+)-([0-9]+) characters`)
	eventTypeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.:-]{0,49}$`)
	// payloadFieldName matches any payload field; the adapter says which of them can match at a destination.
	payloadFieldName = regexp.MustCompile(`^[^\pC\pZ]([^\pC]{0,98}[^\pC\pZ])?$`)
)

const (
	maxSecret  = 8192 // a private key in PEM is 3 kB
	maxHeaders = 50
	maxNames   = 500
)

// credentialField checks one value against the platform's list. A format there is a regular expression, a range of
// lengths, or a text, which cannot be checked.
func (v *violations) credentialField(f ops.CredentialField, value string) {
	field := "credentials." + f.Field
	multiline := func(r rune) bool { return unicode.IsControl(r) && (!f.Secret || r != '\n' && r != '\r' && r != '\t') }
	switch {
	case len(value) > maxSecret:
		v.add(field, codeFieldTooLong, "the field is longer than "+strconv.Itoa(maxSecret)+" bytes")
		return
	case strings.ContainsFunc(value, multiline):
		v.add(field, codeInvalidCharacter, codeInvalidCharacter.message())
		return
	}
	if m := lengths.FindStringSubmatch(f.Format); m != nil {
		least, _ := strconv.Atoi(m[1])
		most, _ := strconv.Atoi(m[2])
		switch n := utf8.RuneCountInString(value); {
		case n > most:
			v.add(field, codeFieldTooLong, "the field is longer than "+m[2]+" characters")
		case n < least:
			v.add(field, codeInvalidValue, "the field is shorter than "+m[1]+" characters")
		}
		return
	}
	if !strings.HasPrefix(f.Format, "^") {
		return
	}
	if pattern, err := regexp.Compile(f.Format); err == nil && !pattern.MatchString(value) {
		v.add(field, codeInvalidValue, "the field must match "+f.Format)
	}
}

// credentials checks all fields of a credential against the platform's list. One that is stored already stays, also where the list, as a
// later release corrected it, no longer has it: an empty value removes it.
func (v *violations) credentials(list []ops.CredentialField, values, stored map[string]relay.Secret) {
	known := map[string]bool{}
	for _, f := range list {
		known[f.Field] = true
		value := values[f.Field].Reveal()
		switch {
		case f.Field == ops.CustomHeaders && value != "":
			v.add("credentials."+f.Field, codeInvalidValue, "the field of a header is "+ops.HeaderPrefix+" and the header's name")
		case value != "":
			v.credentialField(f, value)
		case f.Required:
			v.add("credentials."+f.Field, codeMissingField, codeMissingField.message())
		}
	}
	headers := ops.HeadersOf(list, values)
	for name, value := range values {
		if old, kept := stored[name]; kept && old.Reveal() == value.Reveal() {
			continue
		}
		if _, ok := headers[strings.TrimPrefix(name, ops.HeaderPrefix)]; !known[name] && !ok {
			v.add("credentials."+name, codeUnknownField, "the platform has no such field; its credential_fields lists them")
		}
	}
}

// secret refuses a new secret that is too short. One that was stored before this rule stays.
func (v *violations) secret(field string, value, stored relay.Secret) {
	if value.IsSet() && value.Reveal() != stored.Reveal() && isShort(value.Reveal()) {
		v.add(field, codeInvalidValue, "a secret has at least "+strconv.Itoa(leastSecret)+" characters")
	}
}

// headers checks custom headers by the rules of the HTTP client. They are in a field, under their names with a prefix.
func (v *violations) headers(check func(string, relay.Secret) error, parent, prefix string, headers map[string]relay.Secret) {
	if len(headers) > maxHeaders {
		v.add(parent, codeInvalidValue, "there are more than "+strconv.Itoa(maxHeaders)+" headers")
	}
	for name, value := range headers {
		field := parent + "." + prefix + name
		switch {
		case len(value.Reveal()) > maxSecret || len(name) > 100:
			v.add(field, codeFieldTooLong, "the header is too long")
		case check(name, value) != nil:
			v.add(field, codeForbiddenHeader, "the header may not be set, or has characters that no header has")
		}
	}
}

// options checks the rules that the schema cannot express, and returns the options as they are stored.
func (v *violations) options(o *Options) relay.Options {
	var out relay.Options
	if o == nil {
		return out
	}
	for name, rule := range o.Events {
		field := "options.events." + name
		v.line(field, rule.Name)
		switch {
		case !eventTypeName.MatchString(name):
			v.add(field, codeInvalidValue, "the type of an event has lower-case letters, digits and _ . : -, 50 at most")
		case rule.Skip && rule.Name != "":
			v.add(field, codeInvalidValue, "an event is either named or skipped")
		}
	}
	for list, names := range map[string][]string{"allow": o.Allow, "deny": o.Deny} {
		for i, name := range names {
			if !payloadFieldName.MatchString(name) {
				v.add("options."+list+"["+strconv.Itoa(i)+"]", codeInvalidValue, "the name of a payload's field has 1 to 100 characters, no control characters, and no white space around it")
			}
		}
	}
	b, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(b, &out) // the two have the same JSON: a test says so
	}
	if err != nil {
		v.add("options", codeInvalidValue, "the options cannot be stored")
	}
	return out
}

// optionsView is stored options as they are shown; nil where there are none.
func optionsView(o relay.Options) *Options {
	if reflect.ValueOf(o).IsZero() {
		return nil
	}
	b, _ := json.Marshal(o) // plain values always marshal
	var out Options
	_ = json.Unmarshal(b, &out)
	return &out
}

func schemaFor[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// SecretView is a secret in a response.
type SecretView struct {
	IsSet    bool   `json:"is_set" example:"true" doc:"Whether there is one."`
	LastFour string `json:"last_four" example:"x9Kq" doc:"Its last four characters; empty where it has fewer than twelve."`
}

func secretView(s relay.Secret) SecretView {
	const tail, least = 4, 12
	runes := []rune(s.Reveal())
	v := SecretView{IsSet: len(runes) > 0}
	if len(runes) >= least {
		v.LastFour = string(runes[len(runes)-tail:])
	}
	return v
}
