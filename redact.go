package relay

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Redacted stands where a personal value stood in the record of an attempt.
const Redacted = "[redacted]"

// identifying are the names, folded, under which payloads carry what tells who somebody is or where they are.
var identifying = set(
	"email", "mail", "useremail", "phone", "userphone", "tel", "firstname", "lastname", "name", "surname", "username",
	"street", "address1", "address2", "city", "state", "region", "zip", "postcode", "country", "gender", "sex", "dob",
	"birthday", "externalid", "userid", "customerid", "patientid", "memberid", "ip", "clientip", "ipoverride", "userdata",
)

// identifyingEnds make any longer name identifying too: billing_phone, hashed_email, client_ip_address.
var identifyingEnds = []string{"email", "phone", "phonenumber", "firstname", "lastname", "fullname", "address", "zipcode",
	"postalcode", "dateofbirth", "birthdate", "dob", "ssn", "useragent"}

// Identifies reports whether a payload field of this name, however it is spelled, tells who somebody is.
func Identifies(field string) bool {
	name := fold(field)
	return identifying[name] || slices.ContainsFunc(identifyingEnds, func(e string) bool { return strings.HasSuffix(name, e) })
}

var mailAddress = regexp.MustCompile(`[^\s@"]+(@|%40)[^\s@"]+\.[\pL\pN]{2,}`)

// HoldsMailAddress reports whether a text has an e-mail address in it, percent-encoded or not.
func HoldsMailAddress(text string) bool { return mailAddress.MatchString(text) }

// tracing are further names, folded, that the record of an attempt hides: what follows one person around (network
// addresses, click ids, cookies, sessions), and the vendors' short names for what identifies.
var tracing = set(
	"mobile", "useragent", "sessionid", "clientid", "gaclientid", "deviceid", "userproperties", "relaysessionid",
	"em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "hashedmaids", "madid", "idfv", "leadid", "subscriptionid",
	"fbc", "fbp", "fbclid", "fbloginid", "anonid", "ttclid", "ttp", "scclickid", "sccookie1", "scclid", "sccid", "scid",
	"epik", "clickid", "gclid", "wbraid", "gbraid", "msclkid", "partnerid", "locale", "sha256street", "userlocation",
)

// pageFields, folded, hold URLs also where they are relative.
var pageFields = set("url", "pageurl", "pagelocation", "eventsourceurl", "sourceurl", "pagereferrer", "referrer", "referrerurl",
	"documentreferrer", "landingpage", "href")

// RedactBody is a JSON body as the record keeps it: every value under a person's field name, at any depth, and every
// string that looks like an e-mail address is replaced; a URL, which may tell who looked at what, keeps scheme, host and
// path. A body that is no JSON is hidden whole. Numbers stay as written.
func RedactBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return Redacted
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(redact(v)) != nil {
		return Redacted
	}
	return strings.TrimSpace(out.String())
}

func redact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return redactObject(v)
	case []any:
		for i := range v {
			v[i] = redact(v[i])
		}
	case string:
		return redactText(v)
	}
	return v
}

func redactObject(v map[string]any) map[string]any {
	_, isEvent := v["params"].(map[string]any) // the Measurement Protocol's event, whose "name" is nobody's
	out := make(map[string]any, len(v))
	for k, inner := range v {
		switch {
		case strings.Contains(k, "@"):
			out[Redacted] = Redacted
		case isEvent && k == "name":
			out[k] = redact(inner)
		case Identifies(k) || tracing[fold(k)]:
			out[k] = Redacted
		case pageFields[fold(k)]:
			out[k] = redactPage(inner)
		default:
			out[k] = redact(inner)
		}
	}
	return out
}

func redactPage(v any) any {
	if s, ok := v.(string); ok {
		return redactText(RedactURL(strings.TrimSpace(s)))
	}
	return redact(v)
}

func redactText(s string) string {
	if strings.Contains(s, "://") {
		s = RedactURL(strings.TrimSpace(s))
	}
	if strings.Contains(s, "@") || HoldsMailAddress(s) {
		return Redacted
	}
	return s
}

// fold is a name without case and punctuation: "E-Mail", "e_mail" and "eMail" are one.
func fold(name string) string {
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
