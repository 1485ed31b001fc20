package cli

import (
	"context"
	"strings"
)

// checkSecrets refuses --secret with a value, an unknown name, and two that read standard input, before anything is asked.
func (b *bodyFlags) checkSecrets() error {
	readers := 0
	if b.file == "-" {
		readers++
	}
	for _, given := range b.secrets {
		name, source, hasSource := strings.Cut(given, "=")
		if _, _, ok := b.place(name); !ok {
			return usagef("--secret: there is no secret of this name; it is %s", strings.Join(b.secretNames(), " or "))
		}
		switch {
		case !hasSource, source == "", strings.HasPrefix(source, "@") && source != "@":
		case source == "-":
			readers++
		default:
			return usagef("--secret %s: a secret is not read from arguments, which other programs see and shells keep; %s alone asks for it, =@FILE and =- read it", name, name)
		}
	}
	if readers > 1 {
		return usagef("standard input can be read once: use =@FILE for the others")
	}
	return nil
}

// place finds the field, and its member, that the name of a secret means.
func (b *bodyFlags) place(name string) (of, part string, ok bool) {
	for _, f := range b.fields {
		switch member, dotted := strings.CutPrefix(name, f.name+"."); {
		case !f.secret:
		case f.kind != objectField && name == f.name:
			return f.name, "", true
		case f.kind == objectField && dotted && member != "":
			return f.name, member, true
		}
	}
	return b.parts, name, b.parts != "" && name != "" && name != b.parts
}

// setSecrets reads the secrets.
func (b *bodyFlags) setSecrets(ctx context.Context, body map[string]any, t terminal) error {
	for _, given := range b.secrets {
		name, source, hasSource := strings.Cut(given, "=")
		value, err := t.secret(ctx, name, source, hasSource)
		if err != nil {
			return err
		}
		of, part, _ := b.place(name) // was checked before
		if part == "" {
			body[of] = value
			continue
		}
		if err := setMember(body, of, part, value); err != nil {
			return err
		}
	}
	return nil
}

// secret reads one secret: from the terminal, a file, or standard input. An empty source removes it.
func (t terminal) secret(ctx context.Context, name, source string, hasSource bool) (string, error) {
	switch {
	case !hasSource:
		v, err := t.password(ctx, name+": ")
		return v.Reveal(), err
	case source == "":
		return "", nil
	}
	v, err := readSecret("--secret "+name, strings.TrimPrefix(source, "@"), t.in)
	return v.Reveal(), err
}
