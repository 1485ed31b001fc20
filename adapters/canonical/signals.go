package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of consent objects.
const maxDepth = 3

// permissions are signals whose "yes" permits, by folded name, with the parts that they decide.
var permissions = map[string][]string{
	"adstorage": {AdStorage}, "aduserdata": {AdUserData}, "adpersonalization": {AdPersonalization}, "analyticsstorage": {AnalyticsStorage},
	"marketingconsent": adParts,
	// Parts of consent mode that decide nothing here.
	"functionalitystorage": {}, "personalizationstorage": {}, "securitystorage": {},
}

// objections are signals whose "yes" refuses, by folded name. A "no" is silence: a missing objection is not consent.
var objections = map[string]func(*Consent){
	"optout":               func(c *Consent) { c.decide(Denied, adParts) },
	"nonpersonalizedads":   func(c *Consent) { c.decide(Denied, []string{AdPersonalization}) },
	"donotsell":            restrict,
	"donotsellorshare":     restrict,
	"limiteddatause":       restrict,
	"gpc":                  restrict,
	"secgpc":               restrict,
	"globalprivacycontrol": restrict,
}

func restrict(c *Consent) { c.Restricted = true }

// scan reads every signal among fields, whose names count without case and punctuation, and reports whether there was one.
func (c *Consent) scan(fields map[string]json.RawMessage, depth int) bool {
	found := false
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		raw := bytes.TrimSpace(fields[name])
		known, said := c.signal(letters(name), raw, depth)
		found = found || known
		if !known && depth > 0 && refuses(letters(name), raw) { // {"ad_storage": "granted", "marketing": false}
			c.refuse()
		}
		if said && depth == 0 {
			c.Fields = append(c.Fields, name)
		}
	}
	return found
}

// signal reads one field. said is false where the value is empty.
func (c *Consent) signal(name string, raw json.RawMessage, depth int) (known, said bool) {
	word, scalar := scalarWord(raw)
	said = !scalar || word != ""
	if parts, ok := permissions[name]; ok {
		c.decide(permission(word, scalar), parts)
		return true, said
	}
	if object, ok := objections[name]; ok {
		c.objection(object, word, scalar)
		return true, said
	}
	switch name {
	case "consent", "consentstate", "consentmode":
		c.whole(raw, depth)
	case "usprivacy", "usprivacystring":
		c.usPrivacy(word, scalar)
	case "dataprocessingoptions":
		c.processingOptions(raw)
	case "dataprocessingoptionscountry":
		c.Country = max(c.Country, number(word, "us", usa))
	case "dataprocessingoptionsstate":
		c.State = max(c.State, number(word, "ca", california))
	default:
		return false, false
	}
	return true, said
}

// refusing are the words that say no to a purpose which the relay does not know.
var refusing = append([]string{"denied", "deny", "decline", "declined", "refuse", "refused", "reject", "rejected", "revoked", "withdrawn", "disallow", "disallowed",
	"opt_out", "opted_out"}, no...)

// aboutConsent are the members of consent objects that are not decisions: a "no" there refuses nothing, and neither does Norway.
var aboutConsent = []string{"version", "waitforupdate", "timestamp", "id", "source", "method", "region", "country", "language", "lang", "locale", "adsdataredaction",
	"urlpassthrough", "gdprapplies", "gdpr", "explicit", "implicit", "default", "isdefault", "expired", "shown", "updated"}

// refuses reports whether a member of a consent object says no in words of its own, at any depth.
func refuses(name string, raw json.RawMessage) bool {
	if slices.Contains(aboutConsent, name) {
		return false
	}
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch word, scalar := scalarWord(raw); {
	case scalar:
		return slices.Contains(refusing, word)
	case json.Unmarshal(raw, &object) == nil:
		for inner, value := range object {
			if refuses(letters(inner), value) {
				return true
			}
		}
	case json.Unmarshal(raw, &list) == nil:
		return slices.ContainsFunc(list, func(value json.RawMessage) bool { return refuses("", value) })
	}
	return false
}

// whole reads a consent field: one word for everything, or an object of signals. An object in other words
// ({"marketing": false}) refuses everything, and so does one that says no in such words beside known ones.
func (c *Consent) whole(raw json.RawMessage, depth int) {
	if len(raw) == 0 || raw[0] != '{' {
		word, scalar := scalarWord(raw)
		c.decide(permission(word, scalar), everything)
		return
	}
	var parts map[string]json.RawMessage
	if depth == maxDepth || json.Unmarshal(raw, &parts) != nil || !c.scan(parts, depth+1) && len(parts) > 0 {
		c.refuse()
	}
}

var (
	yes = []string{"true", "yes", "y", "1", "on"}
	no  = []string{"false", "no", "n", "0", "off"}
	// permitting are further words of a permission.
	permitting = append([]string{"granted", "grant", "allow", "allowed", "accept", "accepted", "opt_in", "opted_in"}, yes...)
)

// permission reads the decision of a word: everything but a clear yes and silence is a no.
func permission(word string, scalar bool) Decision {
	switch {
	case scalar && word == "":
		return Unset
	case scalar && slices.Contains(permitting, word):
		return Granted
	}
	return Denied
}

func (c *Consent) objection(object func(*Consent), word string, scalar bool) {
	switch {
	case !scalar:
		c.refuse()
	case word == "", slices.Contains(no, word):
	case slices.Contains(yes, word):
		object(c)
	default:
		c.refuse()
	}
}

// usPrivacyString is version 1 of IAB's string: notice, opt-out of sale, and whether the seller has signed an agreement.
var usPrivacyString = regexp.MustCompile(`^1[yn-]([yn-])[yn-]$`)

// usPrivacy reads IAB's US Privacy String: "1YYN" is an opt-out of sale.
func (c *Consent) usPrivacy(word string, scalar bool) {
	m := usPrivacyString.FindStringSubmatch(word)
	switch {
	case scalar && word == "":
	case !scalar, m == nil:
		c.refuse()
	case m[1] == "y":
		restrict(c)
	}
}

// processingOptions reads Meta's and Snap's form: ["LDU"] is restricted processing, [] none. LMU is Snap's older word.
func (c *Consent) processingOptions(raw json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil { // also null, which leaves an empty list
		list = []json.RawMessage{raw}
	}
	for _, option := range list {
		switch word, scalar := scalarWord(option); {
		case scalar && (word == "ldu" || word == "lmu"):
			restrict(c)
		case scalar && word == "" && len(list) == 1:
		default:
			c.refuse()
		}
	}
}

// The vendors' numbers of places with a privacy law of their own.
const (
	usa        = 1
	california = 1000
)

// maxPlace is above every number that a vendor names.
const maxPlace = 9999

// number is a place's number, or that of its code; 0 for anything else.
func number(word, code string, of int) int {
	if word == code {
		return of
	}
	if n, err := strconv.Atoi(word); err == nil && n > 0 && n <= maxPlace {
		return n
	}
	return 0
}

// scalarWord is a JSON scalar as a word in lower case without white space around it; "" for null. It reports false for a
// list and an object.
func scalarWord(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, string(raw) == "null":
		return "", true
	case raw[0] == '{', raw[0] == '[':
		return "", false
	}
	s := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return strings.ToLower(strings.TrimSpace(s)), true
}
