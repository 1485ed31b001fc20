package canonical

import (
	"net/netip"
	"slices"
	"strings"

	"relay/adapters/identity"
	"relay/internal/relay"
)

// Values of relay.Options.Identifiers.
const (
	NoIdentifiers = "none" // also ""
	Hashed        = "hashed"
)

// The methods below return a person's identifiers as SHA-256 in lower-case hex, and those whose name begins with Plain
// normalised but not hashed, which TikTok wants of places. Each is "" unless identifiers are switched on.

// Email is the hashed e-mail address.
func (f *Fields) Email() string { return f.digest(identity.Email, "email") }

// PhoneDigits is the hash of country code and number, without "+".
func (f *Fields) PhoneDigits() string { return f.digest(f.phone(identity.PhoneDigits), "phone") }

// PhoneE164 is the hash of "+", country code and number.
func (f *Fields) PhoneE164() string { return f.digest(f.phone(identity.PhoneE164), "phone") }

// FirstName is the hashed first name.
func (f *Fields) FirstName() string { return f.digest(identity.Name, "first_name") }

// LastName is the hashed last name.
func (f *Fields) LastName() string { return f.digest(identity.Name, "last_name") }

// Gender is the hash of f or m.
func (f *Fields) Gender() string { return f.digest(identity.Gender, "gender") }

// Birthday is the hashed date of birth.
func (f *Fields) Birthday() string {
	return f.digest(f.birthday, "dob")
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
	return f.digest(f.inCountry(identity.Zip), "zip")
}

// Country is the hashed country code.
func (f *Fields) Country() string { return f.digest(identity.Country, "country") }

// PlainCountry is the country code.
func (f *Fields) PlainCountry() string { return f.plain(identity.Country, "country") }

// ExternalID is the hash of the shop's own id of the person, in lower case; of the session's, where the admin says so.
func (f *Fields) ExternalID() string { return f.ExternalIDAs(identity.ExternalID) }

// ExternalIDAs is ExternalID with an id as clean makes it before it is hashed.
func (f *Fields) ExternalIDAs(clean func(string) string) string {
	id := f.digest(clean, "external_id")
	if id == "" && f.destination.Options.ExternalIDFromSession {
		id = f.digest(clean, "session_id")
	}
	return id
}

// IP is the shopper's public address where the admin sends it.
func (f *Fields) IP() string {
	if !f.destination.Options.SendIP {
		return ""
	}
	return f.read(query{names: Spellings("client_ip"), clean: pathless(publicIP)})
}

// UserAgent is the shopper's browser where the admin sends it.
func (f *Fields) UserAgent() string {
	if !f.destination.Options.SendUserAgent {
		return ""
	}
	browser := func(_, s string) string {
		if strings.EqualFold(s, "other") { // programs write it for an unknown browser; Pinterest refuses it
			return ""
		}
		return s
	}
	return f.read(query{names: Spellings("user_agent"), clean: browser, plain: true, id: true})
}

// OwnExternalID is the shop's own id of the person as it is, for a platform that cannot match hashes. Under the data policy health
// it leaves only under options.plain_identifiers, otherwise also where identifiers are switched on.
func (f *Fields) OwnExternalID() string {
	return f.asItIs("external_id", f.identifies() && !f.health, func(path, s string) string {
		why := f.reveals(s) // some shops take the address for the id, or the telephone number, which leaves by agreement alone
		if why == "" && relay.HoldsTelephone(s) && f.destination.Options.PlainIdentifiers != relay.BAASigned {
			why = whyPhone
		}
		if why != "" {
			f.withhold(path, why)
			return ""
		}
		return s
	})
}

// OwnEmail is the e-mail address as it is, in lower case. It leaves only under options.plain_identifiers.
func (f *Fields) OwnEmail() string { return f.asItIs("email", false, pathless(identity.Email)) }

// OwnPhone is the phone number as it is: "+", country code and number. It leaves only under options.plain_identifiers.
func (f *Fields) OwnPhone() string {
	return f.asItIs("phone", false, pathless(f.phone(identity.PhoneE164)))
}

// asItIs is an identifier that is not hashed. It leaves to a platform that declares such identifiers, where the admin has named
// the agreement, or permitted is set.
func (f *Fields) asItIs(field string, permitted bool, clean func(path, s string) string) string {
	if !f.plainIDs {
		return ""
	}
	if !permitted && f.destination.Options.PlainIdentifiers != relay.BAASigned {
		if path, _ := f.source.first(Spellings(field)); path != "" {
			f.withhold(path, whyPlain)
		}
		return ""
	}
	return f.read(query{names: Spellings(field), id: true, clean: func(path, s string) string {
		if _, hashed := identity.Hashed(s); hashed {
			return ""
		}
		return clean(path, s)
	}})
}

func (f *Fields) phone(clean func(raw, region string) string) func(string) string {
	return func(raw string) string { return clean(raw, f.event.Storefront.PhoneRegion) }
}

// inCountry passes the payload's country to clean, because the meaning of state and zip depends on it.
func (f *Fields) inCountry(clean func(raw, country string) string) func(string) string {
	country := f.Peek(identity.Country, "country")
	return func(raw string) string { return clean(raw, country) }
}

// Peek is a field as clean makes it, for deciding on others. It is not meant to leave, and no list of the admin's binds it.
func (f *Fields) Peek(clean func(string) string, field string) string {
	for _, name := range Spellings(field) {
		_, raw := f.source.find(name)
		if s := clean(relay.Payload{"v": raw}.Text("v")); s != "" {
			return s
		}
	}
	return ""
}

// birthday reads a date in the storefront's way of writing it.
func (f *Fields) birthday(raw string) string {
	return identity.BirthdayIn(raw, f.event.Storefront.PhoneRegion)
}

func (f *Fields) digest(clean func(string) string, field string) string {
	return f.Personal(func(s string) string { return identity.Digest(s, clean) }, field)
}

func (f *Fields) plain(clean func(string) string, field string) string {
	return f.Personal(func(s string) string { return identity.Plain(s, clean) }, field)
}

// Personal is a person's field as clean makes it, under any of its spellings, where identifiers are switched on.
func (f *Fields) Personal(clean func(string) string, field string) string {
	if !f.identifies() {
		return ""
	}
	return f.read(query{names: Spellings(field), clean: pathless(clean)})
}

// notPublic are networks of no shopper that netip has no name for.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
	netip.MustParsePrefix("240.0.0.0/4"),
}

// publicIP is the first address of a list (X-Forwarded-For has the shopper's first) as a vendor can use it: our own proxies'
// private ones would place all shoppers in one spot.
func publicIP(raw string) string {
	var a netip.Addr
	for part := range strings.SplitSeq(raw, ",") {
		var err error
		part = strings.TrimSpace(part)
		a, err = netip.ParseAddr(strings.Trim(part, "[]"))
		if p, perr := netip.ParseAddrPort(part); err != nil && perr == nil && strings.Contains(raw, ",") {
			a, err = p.Addr(), nil
		}
		if err == nil || !relay.Placeholder(part) { // proxies write "unknown" for an unknown address
			break
		}
	}
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return ""
	}
	if slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return ""
	}
	return a.String()
}
