package canonical

import (
	"net/netip"
	"slices"

	"relay/adapters/identity"
)

// Values of relay.Options.Identifiers.
const (
	NoIdentifiers = "none" // also ""
	Hashed        = "hashed"
)

// The methods below give a person's identifiers as SHA-256 in lower-case hex, and those whose name begins with Plain
// normalised but not hashed, which TikTok wants of places. Each is "" unless identifiers are switched on.

// Email is the hashed e-mail address.
func (f *Fields) Email() string { return f.digest(identity.Email, "email", "email_address") }

// PhoneDigits is the hash of country code and number, without "+".
func (f *Fields) PhoneDigits() string { return f.digest(f.phone(identity.PhoneDigits), phoneFields...) }

// PhoneE164 is the hash of "+", country code and number.
func (f *Fields) PhoneE164() string { return f.digest(f.phone(identity.PhoneE164), phoneFields...) }

// FirstName is the hashed first name.
func (f *Fields) FirstName() string { return f.digest(identity.Name, "first_name") }

// LastName is the hashed last name.
func (f *Fields) LastName() string { return f.digest(identity.Name, "last_name") }

// Gender is the hash of f or m.
func (f *Fields) Gender() string { return f.digest(identity.Gender, "gender") }

// Birthday is the hashed date of birth.
func (f *Fields) Birthday() string {
	return f.digest(identity.Birthday, "dob", "birthday", "date_of_birth")
}

// City is the hashed city.
func (f *Fields) City() string { return f.digest(identity.City, "city") }

// PlainCity is the city.
func (f *Fields) PlainCity() string { return f.plain(identity.City, "city") }

// State is the hashed state.
func (f *Fields) State() string { return f.digest(f.inCountry(identity.State), "state") }

// PlainState is the state.
func (f *Fields) PlainState() string { return f.plain(f.inCountry(identity.State), "state") }

// Zip is the hashed postal code.
func (f *Fields) Zip() string {
	return f.digest(f.inCountry(identity.Zip), "zip", "zip_code", "postal_code")
}

// Country is the hashed country code.
func (f *Fields) Country() string { return f.digest(identity.Country, "country") }

// PlainCountry is the country code.
func (f *Fields) PlainCountry() string { return f.plain(identity.Country, "country") }

// ExternalID is the hash of the shop's own id of the person; of the session's, where the admin says so.
func (f *Fields) ExternalID() string {
	fields := []string{"external_id", "user_id", "customer_id"}
	if f.destination.Options.ExternalIDFromSession {
		fields = append(fields, "session_id")
	}
	return f.digest(identity.ExternalID, fields...)
}

// IP is the shopper's public address where the admin sends it.
func (f *Fields) IP() string {
	if !f.destination.Options.SendIP {
		return ""
	}
	return f.first(publicIP, []string{"client_ip", "client_ip_address", "ip_address", "ip"})
}

// UserAgent is the shopper's browser where the admin sends it.
func (f *Fields) UserAgent() string {
	if !f.destination.Options.SendUserAgent {
		return ""
	}
	return f.first(f.fit, []string{"user_agent", "client_user_agent"})
}

var phoneFields = []string{"phone", "phone_number"}

func (f *Fields) phone(clean func(raw, region string) string) func(string) string {
	return func(raw string) string { return clean(raw, f.event.Storefront.PhoneRegion) }
}

// inCountry gives clean the payload's country, which decides what its state and zip mean.
func (f *Fields) inCountry(clean func(raw, country string) string) func(string) string {
	country := identity.Country(f.event.Payload.Text("country"))
	return func(raw string) string { return clean(raw, country) }
}

func (f *Fields) digest(clean func(string) string, fields ...string) string {
	return f.personal(func(s string) string { return identity.Digest(s, clean) }, fields)
}

func (f *Fields) plain(clean func(string) string, fields ...string) string {
	return f.personal(func(s string) string { return identity.Plain(s, clean) }, fields)
}

// Personal is the first person's field as clean makes it, where identifiers are switched on.
func (f *Fields) Personal(clean func(string) string, fields ...string) string {
	return f.personal(clean, fields)
}

func (f *Fields) personal(clean func(string) string, fields []string) string {
	if !f.identifies() {
		return ""
	}
	return f.first(clean, fields)
}

// notPublic are networks of no shopper that netip has no name for.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
	netip.MustParsePrefix("240.0.0.0/4"),
}

// publicIP is an address as a vendor can use it: our own proxies' private ones would place all shoppers in one spot.
func publicIP(raw string) string {
	a, err := netip.ParseAddr(raw)
	a = a.Unmap()
	if err != nil || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return ""
	}
	if slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return ""
	}
	return a.String()
}
