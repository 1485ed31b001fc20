package identity

import (
	_ "embed" // the table of countries
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"relay/internal/relay"
)

// countriesCSV has a line for each country: alpha-2, alpha-3, and its English names. Made from tz's iso3166.tab
// and CLDR, with further names of our own.
//
//go:embed countries.csv
var countriesCSV string

// Country is an ISO 3166 alpha-2 code in lower case, from such a code, an alpha-3 code or an English name.
func Country(raw string) string {
	if relay.Placeholder(raw) && !strings.EqualFold(strings.TrimSpace(raw), "na") { // "n/a" is not Namibia
		return ""
	}
	return countries()[fold(raw)]
}

var countries = sync.OnceValue(func() map[string]string {
	codes := map[string]string{}
	for line := range strings.Lines(countriesCSV) {
		names := strings.Split(strings.TrimSpace(line), ",")
		for _, name := range names {
			codes[fold(name)] = names[0]
		}
	}
	return codes
})

// fold removes the differences of spelling: "Côte d’Ivoire" is "cotedivoire", "U.S.A." is "usa".
func fold(s string) string {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "&", " and ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.TrimPrefix(s, "the ")))
}

// State is a US state or Canadian province as its two-letter code in lower case, from that code, "US-CA" or its name.
// Elsewhere, and where country is "" and the two countries have no such state, it is the name as City makes it. country is
// a result of Country; "" looks in both.
func State(raw, country string) string {
	city := City(raw)
	name := fold(city)
	for _, c := range []string{"us", "ca"} {
		if country != "" && country != c {
			continue
		}
		states := statesOf[c]
		if code, ok := strings.CutPrefix(name, c); ok && states[code] == code && code != "" { // "US-CA"
			return code
		}
		if code := states[name]; code != "" {
			return code
		}
		if country == c {
			return ""
		}
	}
	return city
}

var (
	usZip = regexp.MustCompile(`^(\d{5})([- ]?\d{4})?$`)
	zip4  = regexp.MustCompile(`^(\d{5})-\d{4}$`)
)

// american are the countries and territories with US postal codes.
var american = []string{"us", "pr", "gu", "vi", "as", "mp", "um", "fm", "mh", "pw"}

// noZip are the codes that shoppers make up. 12345 belongs to one company.
var noZip = []string{"11111", "12345", "99999"}

// Zip is a postal code in lower case without white space and dashes; a US one its first five digits. country is a
// result of Country; if it is "", a code such as 94107-1234 is treated as American, because no other country uses this form.
func Zip(raw, country string) string {
	s := Lower(raw)
	if plain := joined(s); slices.Contains(noZip, plain) || strings.Trim(plain, "0") == "" || len(plain) > 5 && relay.Placeholder(plain) {
		return ""
	}
	if slices.Contains(american, country) {
		if m := usZip.FindStringSubmatch(s); m != nil {
			return m[1]
		}
		return ""
	}
	if m := zip4.FindStringSubmatch(s); m != nil && country == "" {
		return m[1]
	}
	s = joined(s)
	if len(s) > maxZip || strings.IndexFunc(s, unicode.IsDigit) < 0 {
		return ""
	}
	return s
}

// joined is a text without white space and punctuation.
func joined(s string) string {
	return strings.Map(func(r rune) rune {
		if separates(r) {
			return -1
		}
		return r
	}, s)
}

// maxZip is longer than any country's postal code.
const maxZip = 12
