package identity

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxEmail is the longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3).
const maxEmail = 254

var emailAddress = regexp.MustCompile(`^[^\s@"<>(),:;\\]+@[^\s@"<>(),:;\\.]+(\.[^\s@"<>(),:;\\.]+)+$`)

// Email is an e-mail address in lower case.
func Email(raw string) string {
	s := lower(raw)
	if len(s) > maxEmail || !emailAddress.MatchString(s) {
		return ""
	}
	return s
}

// PhoneE164 is a phone number with "+" and country code. A number without country code is one of region (ISO 3166
// alpha-2); where it cannot be one and begins with 00 or is a whole number of another country, the "+" was forgotten.
func PhoneE164(raw, region string) string {
	raw = strings.TrimSpace(raw)
	if _, hashed := Hashed(raw); hashed {
		return ""
	}
	region = strings.ToUpper(strings.TrimSpace(region))
	if n, err := phonenumbers.Parse(raw, region); err == nil && possible(n) {
		return stable(n)
	}
	digits := phonenumbers.NormalizeDigitsOnly(raw)
	n, err := phonenumbers.Parse("+"+strings.TrimPrefix(digits, "00"), "")
	if strings.HasPrefix(raw, "+") || err != nil || !phonenumbers.IsValidNumber(n) {
		return ""
	}
	return stable(n)
}

// stable is a number's E.164 form, if reading that gives the number again: "+44 0000 ..." loses another zero each time.
func stable(n *phonenumbers.PhoneNumber) string {
	s := phonenumbers.Format(n, phonenumbers.E164)
	again, err := phonenumbers.Parse(s, "")
	if err != nil || !possible(again) || phonenumbers.Format(again, phonenumbers.E164) != s {
		return ""
	}
	return s
}

// PhoneDigits is PhoneE164 without its "+".
func PhoneDigits(raw, region string) string { return strings.TrimPrefix(PhoneE164(raw, region), "+") }

// possible leaves out the numbers that are too short for anything but a call from next door.
func possible(n *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// nobody are the ids that programs write where they know of none: as a match they would make one person of everybody.
var nobody = []string{"null", "(null)", "nil", "none", "undefined", "nan", "n/a", "unknown", "anonymous", "guest", "0", "-", "-1"}

// ExternalID is the shop's own id of a person, in lower case.
func ExternalID(raw string) string {
	s := lower(raw)
	if slices.Contains(nobody, s) {
		return ""
	}
	return s
}
