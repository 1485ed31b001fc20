package relay

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholders are the folded words that programs write for a missing value: as an id they would make one person of
// everybody.
var placeholders = set(
	"undefined", "null", "nil", "none", "nan", "na", "notset", "notprovided", "notavailable", "notapplicable", "notfound",
	"anonymous", "anonymoususer", "anon", "guest", "guestuser", "guestcheckout", "unknown", "unknownuser", "unspecified", "unset",
	"test", "testing", "tester", "testuser", "dummy", "sample", "placeholder", "default", "empty", "blank", "missing", "void",
	"nobody", "noone", "nouser", "notloggedin", "loggedout", "true", "false", "string", "objectobject", "redacted", "removed",
	"deleted", "hidden", "tbd", "todo", "noid", "nosession", "invalid", "error",
	"novalue", "nodata", "nothing", "infinity", "xxx", "sessionid", "clientid", "userid", "customerid",
)

// nothings lists the words that programs join with others: "undefined.1700000000".
var nothings = set("undefined", "null", "nil", "none", "nan")

// template is the place of a value that no program has filled in: {{session_id}}, ${id}, %%CLICKID%%, __CLICKID__, [id], <id>.
var template = regexp.MustCompile(`^(\{\{.*\}\}|\$?\{[\w .:-]+\}|%%?[A-Za-z_]+%%?|\[[A-Za-z_ .]+\]|<[A-Za-z_ .]+>|__[A-Z_]+__|<%.*%>)$`)

// Placeholders returns the words that Placeholder knows, for callers that only see their hashes.
func Placeholders() []string { return sortedKeys(placeholders) }

// Lengths from which digits count as made up. Shorter ones are the ids of a young shop.
const (
	minRepeated   = 4
	minSequential = 5
)

// Placeholder reports whether a text carries no value: a word such as "undefined", "(not set)" or "n/a", several of them,
// zeros, one character again and again ("1111"), digits in sequence ("123456", "9876543210"), a template that was not filled
// in, or no letter and digit at all. An encoding does not hide it.
func Placeholder(text string) bool {
	text = strings.TrimSpace(strings.Map(narrow, percentDecoded(text)))
	if text == "" {
		return false
	}
	name := FoldName(text)
	return name == "" || text == "-1" || placeholders[name] || repeated(name) || Sequential(name) || template.MatchString(text) || joins(text)
}

// joins reports whether a text is words for nothing, joined with one another or with digits.
func joins(text string) bool {
	parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	word := slices.ContainsFunc(parts, func(part string) bool { return nothings[part] })
	return word && !slices.ContainsFunc(parts, func(part string) bool { return !nothings[part] && strings.Trim(part, "0123456789") != "" })
}

// repeated reports whether s is one character: zeros of any length, other digits and letters only where there are many.
func repeated(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if first >= utf8.RuneSelf || strings.Trim(s, string(first)) != "" {
		return false
	}
	return first == '0' || len(s) >= minRepeated
}

// Sequential reports whether s is digits that count up or down, 0 following 9.
func Sequential(s string) bool {
	if len(s) < minSequential || strings.Trim(s, "0123456789") != "" {
		return false
	}
	step := (int(s[1]) - int(s[0]) + 10) % 10
	if step != 1 && step != 9 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if (int(s[i])-int(s[i-1])+10)%10 != step {
			return false
		}
	}
	return true
}
