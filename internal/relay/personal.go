package relay

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// identifying are the folded names of fields that identify or locate a person.
var identifying = set(
	"email", "mail", "useremail", "phone", "userphone", "tel", "firstname", "lastname", "name", "surname", "username",
	"street", "address1", "address2", "city", "state", "region", "zip", "postcode", "country", "gender", "sex", "dob",
	"birthday", "externalid", "userid", "customerid", "patientid", "memberid", "ip", "clientip", "ipoverride", "userdata",
)

// identifyingEnds make any longer name identifying too: billing_phone, hashed_email, client_ip_address.
var identifyingEnds = []string{"email", "phone", "phonenumber", "firstname", "lastname", "fullname", "address", "zipcode",
	"postalcode", "dateofbirth", "birthdate", "dob", "ssn", "useragent"}

// IsPersonalField reports whether a payload field of this name, however it is spelled, identifies a person. Such a list is never
// complete: the record of attempts does not rely on it (see RedactBody).
func IsPersonalField(field string) bool {
	name := FoldName(field)
	return identifying[name] || slices.ContainsFunc(identifyingEnds, func(e string) bool { return strings.HasSuffix(name, e) })
}

// mailAddress has the form of an address, or of one that was written with quotes or spaces about its sign. A price ("2 @ 3.50")
// is none.
var mailAddress = regexp.MustCompile(`[^\s@"]["']?(@|%40)(["']?[^\s@"]+\.[\pL\pN\pM]{2,}|\[[0-9A-Fa-f:.]+\])|` +
	`[^\s@"]["']?\s*(@|%40)\s*[\pL\pN][^\s@"]*\.\pL[\pL\pM]+`)

// ContainsEmail reports whether a text has an e-mail address in it, percent-encoded or not.
func ContainsEmail(text string) bool { return mailAddress.MatchString(text) }

// FoldName is a name without case and punctuation: "E-Mail", "e_mail" and "eMail" are one.
func FoldName(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
