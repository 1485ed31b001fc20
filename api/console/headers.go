package console

import (
	"slices"
	"strings"
)

// customHeaders is the field of a platform whose credentials may have headers of their own, each under headerPrefix and its name.
const (
	customHeaders = headerPrefix + "*"
	headerPrefix  = "header:"
)

// CustomHeaders reports whether the destination may have headers of its own.
func (s settings) CustomHeaders() bool {
	return s.Container() || slices.ContainsFunc(s.Platform.Fields, func(f credentialField) bool { return f.Field == customHeaders })
}

// headerInputs are the headers of its own that a credential has.
func (v *visit) headerInputs(s settings) []input {
	var list []input
	for field, view := range s.Map("secrets") {
		name, ok := strings.CutPrefix(field, headerPrefix)
		if !ok {
			continue
		}
		i := input{Name: "s." + field, Label: name, Kind: "secret", Removed: v.removes("s." + field), Problem: v.problem.Of("credentials." + field)}
		i.Set, i.Hint = secretOf(view)
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b input) int { return strings.Compare(a.Name, b.Name) })
	return list
}
