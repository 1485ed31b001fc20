package identity

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"relay/internal/relay"
)

// Name is a first or last name in lower case, without white space and punctuation, with its accents: "O'Doe Smith" is
// "odoesmith", "Raphaël" is "raphaël".
func Name(raw string) string {
	s := letters(raw, separates)
	if empty := relay.Placeholder(raw) || relay.Placeholder(s); empty && !slices.Contains(realNames, Lower(raw)) {
		return ""
	}
	return s
}

// realNames are people's names that are placeholders elsewhere.
var realNames = []string{"na", "nan"}

// City is a city in lower case, without white space, digits and punctuation, with its accents: "São Paulo" is "sãopaulo".
func City(raw string) string {
	s := letters(raw, func(r rune) bool { return separates(r) || unicode.IsNumber(r) })
	if relay.Placeholder(raw) || relay.Placeholder(s) {
		return ""
	}
	return s
}

// Gender is "f" or "m".
func Gender(raw string) string {
	switch Lower(raw) {
	case "f", "female", "woman", "w":
		return "f"
	case "m", "male", "man":
		return "m"
	}
	return ""
}

// Birthday is a date of birth as YYYYMMDD, read in the forms that mean one day everywhere: 1990-01-02, 1990/01/02,
// 19900102, or a time that begins with one of them. 01/02/1990 is January in one country and February in the next.
func Birthday(raw string) string {
	s := strings.TrimSpace(raw)
	if day, _, ok := strings.Cut(s, "T"); ok {
		s = day
	} else if day, _, ok := strings.Cut(s, " "); ok {
		s = day
	}
	for _, layout := range []string{"2006-01-02", "2006/01/02", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1900 && t.Year() < 2100 && t.Format("20060102") != noBirthday {
			return t.Format("20060102")
		}
	}
	return ""
}

// noBirthday is the day that programs write where they know of none.
const noBirthday = "19000101"

// BirthdayIn is Birthday in a region (ISO 3166 alpha-2). In the US, month/day/year is read as well where it can mean no other
// day: 12/31/1990, and not 01/02/1990.
func BirthdayIn(raw, region string) string {
	if s := Birthday(raw); s != "" || !strings.EqualFold(strings.TrimSpace(region), "US") {
		return s
	}
	day, _, _ := strings.Cut(strings.TrimSpace(raw), " ")
	t, err := time.Parse("1/2/2006", strings.ReplaceAll(day, "-", "/"))
	if err != nil || t.Day() <= 12 && t.Day() != int(t.Month()) {
		return ""
	}
	return Birthday(t.Format("2006-01-02"))
}

// longest is more than anybody's name, address or id takes, in bytes.
const longest = 500

// Lower composes accents (so that "e" and a combining accent hash as "é"), trims, and lowers as Unicode has it for whole
// words, which browsers do as well: a Greek word ends with "ς", and "İ" becomes an "i" with its dot. It is "" for a text
// that is longer than any name or address.
func Lower(s string) string {
	if len(s) > 4*longest || !utf8.ValidString(s) {
		return ""
	}
	s = strings.TrimSpace(norm.NFC.String(cases.Lower(language.Und).String(norm.NFC.String(s))))
	if len(s) > longest {
		return ""
	}
	return s
}

// letters is raw in lower case without the runes that drop names; "" where no letter is left.
func letters(raw string, drop func(rune) bool) string {
	if _, hashed := Hashed(raw); hashed {
		return ""
	}
	s := norm.NFC.String(strings.Map(func(r rune) rune {
		if drop(r) {
			return -1
		}
		return r
	}, Lower(raw)))
	if _, hashed := Hashed(s); hashed || strings.IndexFunc(s, unicode.IsLetter) < 0 { // a hash with a "!" is not a name
		return ""
	}
	return s
}

// separates reports whether a rune separates words. "’" counts as "'".
func separates(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.Is(unicode.C, r)
}
