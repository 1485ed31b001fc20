package meta

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// maxClickAge is how old a click Meta takes.
const maxClickAge = 90 * 24 * time.Hour

func newUserData(f *canonical.Fields, at time.Time) userData {
	return userData{
		Person:    f.Person(),
		ClickID:   clickID(f, at),
		BrowserID: f.Identifier(browserID, canonical.Spellings("fbp")...),
	}
}

var (
	// fbc is version, subdomain index, milliseconds of the click, the click id, and perhaps the tag of a library.
	fbc = regexp.MustCompile(`^fb\.[0-9]\.([0-9]{1,15})\.([A-Za-z0-9_-]+)(\.[A-Za-z0-9_-]{1,20})?$`)
	// fbp ends with a random number in place of the click id.
	fbp    = regexp.MustCompile(`^fb\.[0-9]\.[0-9]{1,15}\.([0-9]+)(\.[A-Za-z0-9_-]{1,20})?$`)
	fbclid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,500}$`)
)

// clickID is the fbc cookie unchanged, else one made of the fbclid as if it had been clicked in the event's second. Meta
// refuses the whole event for a click that is older than 90 days or later than the event, so such a one is left out.
// https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc
func clickID(f *canonical.Fields, at time.Time) string {
	stale := false
	id := f.Identifier(func(s string) string {
		m := fbc.FindStringSubmatch(s)
		if m == nil || relay.Placeholder(m[2]) { // a browser makes "fb.1.….undefined" of an undefined click
			return ""
		}
		ms, _ := strconv.ParseInt(m[1], 10, 64) // 15 digits always fit
		clicked := time.UnixMilli(ms)
		if clicked.Unix() > at.Unix() || at.Sub(clicked) > maxClickAge {
			stale = true
			return ""
		}
		return s
	}, canonical.Spellings("fbc")...)
	if stale {
		f.Warn("fbc is left out: its click is older than 90 days or later than the event")
	}
	if id != "" || stale {
		return id
	}
	return f.Identifier(func(s string) string {
		if !fbclid.MatchString(s) {
			return ""
		}
		return strings.Join([]string{"fb", "1", strconv.FormatInt(at.Unix()*1000, 10), s}, ".")
	}, "fbclid")
}

func browserID(s string) string {
	if m := fbp.FindStringSubmatch(s); m == nil || relay.Placeholder(m[1]) {
		return ""
	}
	return s
}
