package measurement

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/adapters/identity"
	"relay/internal/relay"
)

// userData is user-provided data: e-mail, phone and names hashed, places plain. Google's rules differ from those that the ad
// platforms share: Gmail addresses lose their dots, names and places keep their inner spaces.
//
// Source: https://developers.google.com/analytics/devguides/collection/ga4/uid-data
type userData struct {
	Email   []string  `json:"sha256_email_address,omitempty"`
	Phone   []string  `json:"sha256_phone_number,omitempty"`
	Address []address `json:"address,omitempty"`
}

type address struct {
	FirstName  string `json:"sha256_first_name,omitempty"`
	LastName   string `json:"sha256_last_name,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"`
}

// newUserData is nil where identifiers are switched off, and where there are none.
func newUserData(f *canonical.Fields) *userData {
	u := userData{
		Email: list(f.Personal(digest(gmail), "email")),
		Phone: list(f.PhoneE164()),
	}
	if home := newAddress(f); home != nil {
		u.Address = []address{*home}
	}
	if u.Email == nil && u.Phone == nil && u.Address == nil {
		return nil
	}
	return &u
}

// newAddress returns nil without a full name: a place alone matches no account and would only reveal where a person lives.
func newAddress(f *canonical.Fields) *address {
	if f.Peek(words, "first_name") == "" || f.Peek(words, "last_name") == "" {
		return nil
	}
	home := f.Peek(identity.Country, "country")
	zip := func(raw string) string { return identity.Zip(raw, home) }
	a := address{
		FirstName: f.Personal(digest(words), "first_name"),
		LastName:  f.Personal(digest(words), "last_name"),
	}
	if a.FirstName == "" || a.LastName == "" { // the admin denies one
		return nil
	}
	a.City = f.Personal(plain(words), "city")
	a.Region = f.Personal(plain(words), "state")
	a.PostalCode = f.Personal(plain(zip), "zip")
	a.Country = f.Personal(country, "country")
	return &a
}

func digest(clean func(string) string) func(string) string {
	return func(raw string) string { return identity.Digest(raw, clean) }
}

func plain(clean func(string) string) func(string) string {
	return func(raw string) string { return identity.Plain(raw, clean) }
}

// gmail is an e-mail address; Gmail reads its own without the dots before the @.
func gmail(raw string) string {
	local, host, ok := strings.Cut(identity.Email(raw), "@")
	if !ok {
		return ""
	}
	if host == "gmail.com" || host == "googlemail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	if local == "" {
		return ""
	}
	return local + "@" + host
}

// words is a name or a place in lower case, without digits and symbols, words apart by one space.
func words(raw string) string {
	if relay.Placeholder(raw) && identity.Name(raw) == "" {
		return ""
	}
	return sensible(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, identity.Lower(raw)))
}

// sensible is s with single spaces; "" if it is longer than the name of a person or a place.
func sensible(s string) string {
	if s = strings.Join(strings.Fields(s), " "); utf8.RuneCountInString(s) <= maxValue {
		return s
	}
	return ""
}

func country(raw string) string { return strings.ToUpper(identity.Country(raw)) }

func list(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
