package canonical

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"relay/internal/relay"
)

// maxName is longer than the name of any field.
const maxName = 100

// lists are the admin's allow and deny, by pathKey. A name covers everything inside of it: "billing" is also
// "billing.email".
type lists struct {
	allow, deny map[string]bool
}

func newLists(o relay.Options) lists {
	keys := func(names []string) map[string]bool {
		set := make(map[string]bool, len(names))
		for _, name := range names {
			set[pathKey(name)] = true
		}
		return set
	}
	return lists{allow: keys(o.Allow), deny: keys(o.Deny)}
}

// covers reports whether a list has one of the paths or an object around it.
func covers(list map[string]bool, paths ...string) bool {
	if len(list) == 0 {
		return false
	}
	for _, path := range paths {
		for key := pathKey(path); key != ""; {
			if list[key] {
				return true
			}
			key = key[:max(strings.LastIndexByte(key, '.'), 0)]
		}
	}
	return false
}

// within reports whether a list names a part of one of the paths.
func within(list map[string]bool, paths ...string) bool {
	for key := range list {
		for _, path := range paths {
			if strings.HasPrefix(key, pathKey(path)+".") {
				return true
			}
		}
	}
	return false
}

// CheckLists refuses names in allow and deny that cannot match anything. Its error begins with the field and a colon.
func CheckLists(o relay.Options) error {
	for _, list := range []struct {
		field string
		names []string
	}{{"allow", o.Allow}, {"deny", o.Deny}} {
		for i, name := range list.names {
			if why := unmatchable(name); why != "" {
				return fmt.Errorf("%s: entry %d %s", list.field, i+1, why)
			}
		}
	}
	return nil
}

// unmatchable is why no payload field has this name; "" where one may.
func unmatchable(name string) string {
	switch {
	case letters(name) == "":
		return "is empty"
	case strings.TrimSpace(name) != name, strings.ContainsFunc(name, unicode.IsControl):
		return "has white space around it or a control character in it"
	case utf8.RuneCountInString(name) > maxName:
		return "is longer than 100 characters"
	case strings.ContainsAny(name, `*[]{}"`):
		return "has a character that no name has; a part of an item is written items.sku"
	case strings.Contains(name, ".") && !knownPath(pathKey(name)):
		return "names a part of a field that the relay does not look into; parts are those of items, such as items.sku, and of the buyer, such as billing.email"
	}
	return ""
}

// knownPath reports whether a dotted path leads to something that an adapter may read.
func knownPath(key string) bool {
	if strings.HasPrefix(key, ".") || strings.HasSuffix(key, ".") || strings.Contains(key, "..") {
		return false
	}
	for _, list := range spellings["items"] {
		if part, ok := strings.CutPrefix(key, pathKey(list)+"."); ok && !strings.Contains(part, ".") {
			return true
		}
	}
	for _, names := range spellings {
		if slices.ContainsFunc(names, func(name string) bool { return pathKey(name) == key || strings.HasPrefix(pathKey(name), key+".") }) {
			return true
		}
	}
	return false
}
