package api

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// noteHeader is where every write of the admin API takes a note for the audit. A header, because many writes have no body.
const (
	noteHeader = "Relay-Note"
	maxNote    = 500 // characters
)

// noteOf reads a note. Its error does not repeat it.
func noteOf(sent string) (string, error) {
	note := strings.TrimSpace(sent)
	words := ""
	switch {
	case !utf8.ValidString(note):
		words = "must be UTF-8"
	case utf8.RuneCountInString(note) > maxNote:
		words = "must have 500 characters at most"
	case strings.ContainsFunc(note, unicode.IsControl):
		words = "must have no control characters"
	default:
		return note, nil
	}
	return "", refuseField(codeInvalidParameter, noteHeader, words)
}

// noteParam describes the header.
func noteParam() *huma.Param {
	limit := maxNote
	return &huma.Param{Name: noteHeader, In: "header", Description: "Why, for the audit: a ticket for example, in UTF-8. No personal data.",
		Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &limit}, Example: "ticket 4711"}
}
