package relay

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Redacted stands where a personal value stood in the record of an attempt.
const Redacted = "[redacted]"

// personFields are the names, in lower case and without "_" and "-", under which vendors, containers and OMS carry what
// belongs to a person: identifiers (hashed or not), addresses, network addresses, click ids and cookies.
var personFields = set(
	// canonical names of our payloads and the aliases that containers read
	"email", "emailaddress", "mail", "useremail", "phone", "phonenumber", "userphone", "tel", "mobile",
	"firstname", "lastname", "name", "fullname", "surname", "username", "street", "address", "address1", "address2", "city",
	"state", "region", "zip", "zipcode", "postalcode", "postcode", "country", "gender", "sex", "dob", "birthday",
	"dateofbirth", "birthdate", "ssn", "externalid", "userid", "customerid", "patientid", "memberid",
	"clientip", "ip", "ipaddress", "ipoverride", "useragent", "clientuseragent", "clientipaddress",
	"sessionid", "clientid", "gaclientid", "deviceid", "userdata", "userproperties", "relaysessionid",
	// vendors' names
	"em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "hashedmaids", "madid", "idfv", "leadid", "subscriptionid",
	"fbc", "fbp", "fbclid", "fbloginid", "anonid", "ttclid", "ttp", "scclickid", "sccookie1", "scclid", "sccid", "scid",
	"epik", "clickid", "gclid", "wbraid", "gbraid", "msclkid", "partnerid", "locale",
	"sha256emailaddress", "sha256phonenumber", "sha256firstname", "sha256lastname", "sha256street", "userlocation",
)

// pageFields hold URLs, which may tell who looked at what: they keep scheme, host and path.
var pageFields = set("url", "pageurl", "pagelocation", "eventsourceurl", "sourceurl", "pagereferrer", "referrer", "referrerurl",
	"documentreferrer", "landingpage", "href")

// RedactBody is a JSON body as the record keeps it: every value under a person's field name, at any depth, and every
// string that looks like an e-mail address is replaced. A body that is no JSON is hidden whole. Numbers stay as written.
func RedactBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
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
		_, isEvent := v["params"] // the Measurement Protocol's event, whose "name" is nobody's
		for k, inner := range v {
			switch name := fold(k); {
			case isEvent && name == "name":
				continue
			case personFields[name]:
				v[k] = Redacted
			case pageFields[name]:
				v[k] = redactPage(inner)
			default:
				v[k] = redact(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = redact(v[i])
		}
	case string:
		if strings.Contains(v, "@") {
			return Redacted
		}
	}
	return v
}

func redactPage(v any) any {
	if s, ok := v.(string); ok {
		return RedactURL(s)
	}
	return redact(v)
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func fold(name string) string { return separators.Replace(strings.ToLower(name)) }

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
