package sgtm

import (
	"fmt"
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

var measurementID = regexp.MustCompile(`^G-[A-Za-z0-9]{1,100}$`)

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	if err := canonical.CheckURL(d, SettingURL); err != nil {
		return err
	}
	switch d.Settings[SettingClientType] {
	case ClientGA4:
		if !measurementID.MatchString(d.Settings[SettingMeasurementID]) {
			return fmt.Errorf("%s: required by client type ga4, in the form G-XXXXXX", SettingMeasurementID)
		}
	case ClientCustom:
		if p := d.Settings[SettingPath]; p != "" && !isPath(p) {
			return fmt.Errorf("%s: must begin with / and have no query", SettingPath)
		}
	default:
		return fmt.Errorf("%s: must be ga4 or custom", SettingClientType)
	}
	if err := canonical.Check(anyPart(d)); err != nil {
		return err
	}
	if c := d.Options.Consent; c != "" && c != relay.ConsentEnforce && c != relay.ConsentForward {
		return fmt.Errorf("consent: must be %s or %s", relay.ConsentEnforce, relay.ConsentForward)
	}
	return canonical.CheckHeaders(d)
}

// anyPart is a destination whose lists name no parts of fields where client custom may name any: it gets the whole payload.
func anyPart(d relay.Destination) relay.Destination {
	if d.Settings[SettingClientType] != ClientCustom {
		return d
	}
	flat := func(names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i] = strings.ReplaceAll(name, ".", "_")
		}
		return out
	}
	d.Options.Allow, d.Options.Deny = flat(d.Options.Allow), flat(d.Options.Deny)
	return d
}

func isPath(p string) bool {
	_, err := relay.ParseAddress("https://host" + p)
	return err == nil && strings.HasPrefix(p, "/") && !strings.ContainsAny(p, "?#")
}
