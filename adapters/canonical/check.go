package canonical

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"relay/internal/relay"
)

// SettingBaseURL is the address of a platform's API, from the catalogue; tests and the sandbox set another.
const SettingBaseURL = "api_base_url"

var (
	versionSegment = regexp.MustCompile(`/v[0-9]+(\.[0-9]+)?$`)
	apiVersion     = regexp.MustCompile(`^v[0-9]{1,3}(\.[0-9]{1,3})?$`)
	tokenChars     = regexp.MustCompile(`^[!-~]{1,1000}$`)
	vendorName     = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,100}$`)
)

// Base returns the address of a platform's API including its version: the destination's address, else platform. The version is
// the admin's, else version, and replaces that of the address. Where version is "", the path has none and the address is used as it
// is.
func Base(d relay.Destination, platform, version string) string {
	base := strings.TrimRight(cmp.Or(d.Settings[SettingBaseURL], platform), "/")
	if version == "" {
		return base
	}
	return versionSegment.ReplaceAllString(base, "") + "/" + cmp.Or(d.Options.APIVersion, version)
}

// APIVersion is the version for a platform that has it in a header: the admin's, else version.
func APIVersion(d relay.Destination, version string) string {
	return cmp.Or(d.Options.APIVersion, version)
}

// Traits declare the differences of a platform's settings. The zero value fits most platforms.
type Traits struct {
	Version Form // of options.api_version; zero is v1 or v1.2
	EventID Form // of the names in options.events, where the vendor has ids instead of names; zero is any name
	Plain   bool // it matches by identifiers that are not hashes; its Rules say so, too
}

// Form is a form of a setting, with an example.
type Form struct {
	Pattern *regexp.Regexp
	Like    string
}

// Check validates the settings that all platforms share: the address and the options. Its error begins with the field and a
// colon.
func Check(d relay.Destination) error { return CheckAs(d, Traits{}) }

// CheckAs is Check for a platform with traits of its own.
func CheckAs(d relay.Destination, t Traits) error {
	if t.Version.Pattern == nil {
		t.Version = Form{apiVersion, "v1 or v1.2"}
	}
	if raw := d.Settings[SettingBaseURL]; raw != "" {
		u, err := relay.ParseAddress(raw)
		if err != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("%s: must be an absolute URL without user, query and fragment", SettingBaseURL)
		}
	}
	if err := CheckLists(d.Options); err != nil {
		return err
	}
	switch o := d.Options; {
	case o.Identifiers != "" && o.Identifiers != NoIdentifiers && o.Identifiers != Hashed:
		return fmt.Errorf("identifiers: must be %s or %s", NoIdentifiers, Hashed)
	case o.PlainIdentifiers != "" && !t.Plain:
		return fmt.Errorf("plain_identifiers: this destination takes no identifiers that are not hashed")
	case o.PlainIdentifiers != "" && o.PlainIdentifiers != relay.BAASigned:
		return fmt.Errorf("plain_identifiers: must be %s", relay.BAASigned)
	case o.APIVersion != "" && !t.Version.Pattern.MatchString(o.APIVersion):
		return fmt.Errorf("api_version: must look like %s", t.Version.Like)
	case o.MaxAgeHours < 0:
		return fmt.Errorf("max_age_hours: must not be negative")
	}
	return checkNames(d.Options.Events, t.EventID)
}

func checkNames(events map[string]relay.EventRule, id Form) error {
	for _, event := range slices.Sorted(maps.Keys(events)) {
		switch name := strings.TrimSpace(events[event].Name); {
		case name == "":
		case !vendorName.MatchString(name):
			return fmt.Errorf("events: the name for %s must have at most 100 characters, and no control characters", event)
		case id.Pattern != nil && !id.Pattern.MatchString(name):
			return fmt.Errorf("events: the name for %s must be the platform's id of the event, such as %s", event, id.Like)
		}
	}
	return nil
}

// CheckSetting requires a setting of this form.
func CheckSetting(d relay.Destination, name string, form *regexp.Regexp) error {
	if !form.MatchString(d.Settings[name]) {
		return fmt.Errorf("%s: is missing or malformed", name)
	}
	return nil
}

// CheckURL requires a setting that is the whole address to send to.
func CheckURL(d relay.Destination, name string) error {
	raw := d.Settings[name]
	if _, err := relay.ParseAddress(raw); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if strings.ContainsAny(raw, "?#") {
		return fmt.Errorf("%s: must not have a query or a fragment", name)
	}
	return nil
}

// CheckToken requires a secret that fits into a header.
func CheckToken(d relay.Destination, name string) error {
	if !tokenChars.MatchString(d.Secrets[name].Reveal()) {
		return fmt.Errorf("%s: is missing or has invalid characters", name)
	}
	return nil
}

// Ready refuses events at a destination that check rejects. Allow and deny are not checked: names that were saved before that
// check existed must not stop events.
func Ready(d relay.Destination, check func(relay.Destination) error) error {
	d.Options.Allow, d.Options.Deny = nil, nil
	if err := check(d); err != nil {
		return Refuse(err)
	}
	return nil
}

// Refuse converts an error of Check into the refusal of an event.
func Refuse(check error) error {
	field, _, _ := strings.Cut(check.Error(), ":")
	return relay.Refuse(relay.ReasonInvalidField, field)
}
