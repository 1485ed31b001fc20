package canonical

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// adIDs are the names, folded, of the ad platforms' ids of a click, a browser or a device.
var adIDs = []string{
	"fbc", "fbp", "fbclid", "fbloginid", "gbraid", "wbraid", "dclid", "ttclid", "ttp", "scclid", "sccid", "scclickid", "scid",
	"sccookie1", "epik", "clickid", "pinunauth", "msclkid", "uetmsclkid", "uetsid", "uetvid", "twclid", "lifatid", "rdtcid", "rdtuuid", "yclid",
	"ymuid", "irclickid", "obclickid", "tblci", "qclid", "idfa", "idfv", "gaid", "aaid", "madid", "hashedmaids", "rdid", "advertisingid",
	"leadid", "anonid",
}

// adIDStart begins the names of Google's click ids and their cookies: gclid, gclsrc, _gcl_aw, _gcl_au.
const adIDStart = "gcl"

// IsAdID reports whether a field or a cookie of this name, however it is spelled, holds an ad platform's id of a click, a browser
// or a device.
func IsAdID(name string) bool {
	name = letters(name)
	return strings.HasPrefix(name, adIDStart) || slices.Contains(adIDs, name)
}

var (
	// pair is a parameter of a query, a form or a cookie header, also of one that is encoded inside of another.
	pair = regexp.MustCompile(`(?i)([?&#;\s"']|%(?:25)*(?:3F|26|23|3B)|^)([A-Za-z0-9_.-]{2,40})(=|%(?:25)*3D)([^&#;\s"']*)`)
	// metaCookie is the form of the values of fbc and fbp.
	metaCookie = regexp.MustCompile(`\bfb\.[0-9]\.[0-9]{10,15}\.[A-Za-z0-9_.-]+`)
)

// WithoutAdIDs is a text without the parameters and cookies that IsAdID knows.
func WithoutAdIDs(s string) string {
	cut := metaCookie.ReplaceAllString(s, "")
	cut = pair.ReplaceAllStringFunc(cut, func(found string) string {
		m := pair.FindStringSubmatch(found)
		if IsAdID(m[2]) {
			return m[1]
		}
		return m[1] + m[2] + m[3] + WithoutAdIDs(m[4]) // which may be a URL
	})
	if cut == s {
		return s
	}
	return tidy(cut)
}

// tidy closes the gaps that parameters have left.
func tidy(s string) string {
	for _, gap := range [][2]string{{"?&", "?"}, {"#&", "#"}, {"&&", "&"}, {"&#", "#"}, {"?#", "#"}} {
		for strings.Contains(s, gap[0]) {
			s = strings.ReplaceAll(s, gap[0], gap[1])
		}
	}
	return strings.TrimRight(s, "?&#; ")
}

// JSONWithoutAdIDs is a value without the fields, the parameters and the cookies that IsAdID knows, at any depth. Its numbers
// stay as they were written.
func JSONWithoutAdIDs(raw json.RawMessage) json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return raw
	}
	switch raw[0] {
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || namesAdID(object) {
			return json.RawMessage("{}")
		}
		for name, value := range object {
			if object[name] = JSONWithoutAdIDs(value); IsAdID(name) {
				delete(object, name)
			}
		}
		return encoded(object)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return json.RawMessage("[]")
		}
		for i := range list {
			list[i] = JSONWithoutAdIDs(list[i])
		}
		return encoded(list)
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return textWithoutAdIDs(s, raw)
		}
	}
	return raw
}

// textWithoutAdIDs reads a text that holds JSON as JSON. A text that holds none of them stays as it was written.
func textWithoutAdIDs(s string, raw json.RawMessage) json.RawMessage {
	var cut string
	if inner := strings.TrimSpace(s); (strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[")) && json.Valid([]byte(inner)) {
		cut = string(JSONWithoutAdIDs(json.RawMessage(inner)))
	} else {
		cut = WithoutAdIDs(s)
	}
	if cut == s {
		return raw
	}
	return encoded(cut)
}

// namesAdID reports whether an object is a pair of a name and a value, as lists of cookies have them: {"name": "_fbp", ...}.
func namesAdID(object map[string]json.RawMessage) bool {
	for _, key := range []string{"name", "key"} {
		var name string
		if json.Unmarshal(object[key], &name) == nil && IsAdID(name) {
			return true
		}
	}
	return false
}

func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
