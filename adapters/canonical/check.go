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

// SettingBaseURL is where a platform's API is, as the catalogue has it; tests and the sandbox have another.
const SettingBaseURL = "api_base_url"

var (
	versionSegment = regexp.MustCompile(`/v[0-9]+(\.[0-9]+)?$`)
	apiVersion     = regexp.MustCompile(`^v[0-9]{1,3}(\.[0-9]{1,3})?$`)
	tokenChars     = regexp.MustCompile(`^[!-~]{1,1000}$`)
	vendorName     = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,100}$`)
)

// Base returns the address of a platform's API including its version: the destination's address, else platform. The version is
// the admin's, else version, and replaces that of the address.
func Base(d relay.Destination, platform, version string) string {
	base := strings.TrimRight(cmp.Or(d.Settings[SettingBaseURL], platform), "/")
	return versionSegment.ReplaceAllString(base, "") + "/" + cmp.Or(d.Options.APIVersion, version)
}

// Check validates the settings that all platforms share: the address and the options. Its error begins with the field and a
// colon.
func Check(d relay.Destination) error {
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
	case o.APIVersion != "" && !apiVersion.MatchString(o.APIVersion):
		return fmt.Errorf("api_version: must look like v1 or v1.2")
	case o.MaxAgeHours < 0:
		return fmt.Errorf("max_age_hours: must not be negative")
	}
	for _, event := range slices.Sorted(maps.Keys(d.Options.Events)) {
		if rule := d.Options.Events[event]; rule.Name != "" && !vendorName.MatchString(rule.Name) {
			return fmt.Errorf("events: the name for %s must have at most 100 characters, and no control characters", event)
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
