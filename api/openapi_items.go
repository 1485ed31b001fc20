package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// codesKey is the extension of a schema that lists the codes of a field, each with its text and what the sender does.
const codesKey = "x-codes"

// alsoKey is the extension of a schema that says what ingestion accepts besides the documented form.
const alsoKey = "x-also-accepts"

// CodeRemedy is a code of an item, and what the sender does about it.
type CodeRemedy struct {
	Code    code   `json:"code"`
	Message string `json:"message"`
	Do      string `json:"do"`
}

const (
	correctItem    = "correct the item and send it again"
	sendItemAgain  = "send the same item again"
	useOwnID       = "if it is an event of its own, send it with an `event_id` of its own; else nothing: the stored event stays as it is"
	nothingToRedo  = "nothing now: the item was stored"
	nameStorefront = "correct the code, or have the storefront created; then send the item again"
)

func remedy(c code, do string) CodeRemedy { return CodeRemedy{c, c.message(), do} }

// itemErrors are the codes of rejected items.
var itemErrors = []CodeRemedy{
	remedy(codeInvalidItem, correctItem),
	remedy(codeInvalidJSON, correctItem),
	remedy(codeInvalidUTF8, correctItem),
	remedy(codeInvalidCharacter, correctItem),
	remedy(codePayloadTooLarge, correctItem),
	remedy(codeMissingField, correctItem),
	remedy(codeWrongType, correctItem),
	remedy(codeFieldTooLong, correctItem),
	remedy(codeInvalidTime, correctItem),
	remedy(codeNotANumber, correctItem),
	remedy(codeUnknownStorefront, nameStorefront),
	remedy(codeConflict, useOwnID),
	{codeBusy, busyItem, sendItemAgain},
}

// itemWarnings are the codes of warnings.
var itemWarnings = []CodeRemedy{
	remedy(codeTimeWithoutOffset, nothingToRedo+"; write the offset from now on"),
	remedy(codeCountMismatch, "nothing now: the items count, not this number; find out whether the batch was cut off"),
}

// TransformSchema lists the codes, which are defined elsewhere.
func (ItemError) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	c := s.Properties["code"]
	c.Description = "The reason, for programs. Of errors: " + names(itemErrors) + ". Of warnings: " + names(itemWarnings) + "."
	c.Extensions = map[string]any{codesKey: map[string][]CodeRemedy{"errors": itemErrors, "warnings": itemWarnings}}
	return s
}

func names(list []CodeRemedy) string {
	var all []string
	for _, r := range list {
		all = append(all, string(r.Code))
	}
	return strings.Join(all, ", ")
}

// TransformSchema takes need, length and type of the fields from the rules by which ingestion checks them.
func (EventItem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = nil
	for _, r := range rules {
		p := s.Properties[r.name]
		if r.required {
			s.Required = append(s.Required, r.name)
		}
		if r.max > 0 {
			p.MaxLength = new(r.max)
		}
		if r.digits {
			p.Extensions = map[string]any{alsoKey: "a whole number"}
		}
	}
	s.Properties[fieldRevenue.name()].Extensions = map[string]any{alsoKey: "a string that spells one, `null` and the empty string"}
	return s
}

// TransformSchema takes the limit from ingestion.
func (EventBatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["data"].MaxItems = new(maxItems)
	return s
}
