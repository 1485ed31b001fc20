package identity

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"relay/internal/relay"
)

// maxEmail is the longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3).
const maxEmail = 254

var emailAddress = regexp.MustCompile(`^[^\s@"<>(),:;\\]+@[^\s@"<>(),:;\\.]+(\.[^\s@"<>(),:;\\.]+)+$`)

// Email is an e-mail address in lower case; "" for one that shops make up where they know of none.
func Email(raw string) string {
	s := Lower(raw)
	if len(s) > maxEmail || !emailAddress.MatchString(s) || madeUpEmail(s) {
		return ""
	}
	return s
}

// noMail are words, folded, by which a mailbox or a host says that it is none.
var noMail = []string{"noemail", "nomail", "noreply", "donotreply", "noaddress", "noemailprovided", "emailnotprovided", "nothanks", "email"}

// madeUpEmail reports whether an address is a placeholder: none@none.com, guest@shop.example, jane@noemail.com. "test" and
// digits may be a real mailbox, unless the host is made up too (test@test.com).
func madeUpEmail(s string) bool {
	local, host, _ := strings.Cut(s, "@")
	label, _, _ := strings.Cut(host, ".")
	weak := func(part string) bool { return relay.Placeholder(part) || slices.Contains(noMail, fold(part)) }
	strong := func(part string) bool {
		return weak(part) && strings.IndexFunc(part, unicode.IsLetter) >= 0 && !strings.HasPrefix(fold(part), "test") && fold(part) != "email"
	}
	zeros := strings.Trim(local, "0") == ""
	short := local == label && (len(local) == 1 || strings.Trim(local, "0123456789") == "") // a@a.com, 123@123.com
	return strong(local) || zeros || short || weak(local) && weak(label) || strong(label) && label != "default" || strings.HasSuffix(host, ".invalid")
}

// PhoneE164 is a phone number with "+" and country code. A number without country code is one of region (ISO 3166
// alpha-2); where it cannot be one and begins with 00 or is a whole number of another country, the "+" was forgotten. Words
// before and after the number are not read, unless they are the number (1-800-FLOWERS).
func PhoneE164(raw, region string) string {
	raw = strings.TrimSpace(raw)
	if _, hashed := Hashed(raw); hashed {
		return ""
	}
	region = strings.ToUpper(strings.TrimSpace(region))
	number := numberIn(raw)
	if n := parsed(number, region); n != nil && possible(n) {
		return usable(number, n)
	}
	if vanity.MatchString(raw) {
		if n := parsed(raw, region); n != nil && phonenumbers.IsValidNumber(n) {
			return usable(number, n)
		}
		return ""
	}
	digits := phonenumbers.NormalizeDigitsOnly(number)
	n := parsed("+"+strings.TrimPrefix(digits, "00"), "")
	if strings.HasPrefix(number, "+") || n == nil || !phonenumbers.IsValidNumber(n) {
		return ""
	}
	return usable(number, n)
}

var (
	// vanity is a number of which the end is one word.
	vanity = regexp.MustCompile(`^\+?[0-9 ().-]*[0-9][ ).-]?[A-Za-z]{4,}[0-9A-Za-z-]*$`)
	// afterNumber begins the text behind a number: a word, the sign of an extension, a second number.
	afterNumber = regexp.MustCompile(`[\pL#;,|&\r\n\t]|\s/\s`)
)

// numberIn is the first run of a text that has no words in it, from its first digit or "+" on.
func numberIn(raw string) string {
	start := strings.IndexFunc(raw, func(r rune) bool { return r == '+' || r == '＋' || r == '(' || unicode.IsDigit(r) })
	if start < 0 {
		return ""
	}
	raw = raw[start:]
	if at := afterNumber.FindStringIndex(raw); at != nil {
		raw = raw[:at[0]]
	}
	return strings.TrimSpace(raw)
}

// parsed is a number as its country writes it today; nil where it is none.
func parsed(raw, region string) *phonenumbers.PhoneNumber {
	if region == "MX" {
		raw = strings.TrimPrefix(strings.TrimPrefix(raw, "044"), "045")
	}
	n, err := phonenumbers.Parse(raw, region)
	if err != nil {
		return nil
	}
	// Mexico's mobile numbers have lost the 1 between country code and number, and 044 and 045 before it.
	const mexico, oldMobile = 52, 10_000_000_000
	if national := n.GetNationalNumber(); n.GetCountryCode() == mexico && national/oldMobile == 1 {
		national -= oldMobile
		n.NationalNumber = &national
	}
	return n
}

// usable is a number's E.164 form, if parsing that yields the number again ("+44 0000 ..." loses another zero each time), and
// if it is not a placeholder.
func usable(raw string, n *phonenumbers.PhoneNumber) string {
	s := phonenumbers.Format(n, phonenumbers.E164)
	again := parsed(s, "")
	if again == nil || !possible(again) || phonenumbers.Format(again, phonenumbers.E164) != s || madeUpPhone(raw, n) {
		return ""
	}
	return s
}

// madeUpPhone reports whether a number's digits are zeros, one digit again and again, or a sequence.
func madeUpPhone(raw string, n *phonenumbers.PhoneNumber) bool {
	national := phonenumbers.GetNationalSignificantNumber(n)
	if strings.HasPrefix(raw, "+") && national == "5555555555" { // the number of TikTok's own examples, written in full
		return false
	}
	return relay.Placeholder(national) || relay.Placeholder(phonenumbers.NormalizeDigitsOnly(raw))
}

// PhoneDigits is PhoneE164 without its "+".
func PhoneDigits(raw, region string) string { return strings.TrimPrefix(PhoneE164(raw, region), "+") }

// possible leaves out the numbers that are too short for anything but a call from next door.
func possible(n *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// ExternalID is the shop's own id of a person, in lower case; "" for a placeholder: as a match it would make one person of
// everybody.
func ExternalID(raw string) string {
	s := Lower(raw)
	if relay.Placeholder(s) {
		return ""
	}
	return s
}
