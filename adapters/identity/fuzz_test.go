package identity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/identity"
)

// cleaners are the idempotent ones.
var cleaners = map[string]func(string) string{
	"email": identity.Email, "phone US": e164("US"), "phone GB": e164("GB"), "phone": e164(""), "name": identity.Name,
	"city": identity.City, "state": state(""), "state us": state("us"), "state de": state("de"), "zip": zip(""),
	"zip us": zip("us"), "country": identity.Country, "gender": identity.Gender, "birthday": identity.Birthday,
	"external id": identity.ExternalID,
}

func FuzzCleaners(f *testing.F) {
	for _, s := range []string{" Jane.Doe+rx@Example.COM ", "+1 (415) 555-0132", "1-800-FLOWERS", "O’Doe", "İstanbul", "US-CA",
		"SW1A 1AA", "Côte d’Ivoire", "1990-01-02", "e\u0301", "\xff", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"ẞ", "ſ", "Ω", "the the x", "\u200b", "1e9", "+٤٤٨٤٤٤١٢٤٦٥٣",
		"00000000000000000000000000000000000000000000000000000000000A0000!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for name, clean := range cleaners {
			once := clean(raw)
			require.Equal(t, once, clean(once), "%s: cleaning twice is cleaning once", name)
			digest := identity.Digest(raw, clean)
			require.Contains(t, []int{0, 64}, len(digest), name)
			require.NotEqual(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", digest, name)
			require.Equal(t, digest, identity.Digest(digest, clean), "%s: a hash is not hashed again", name)
		}
		if digits := identity.PhoneDigits(raw, "US"); digits != "" {
			require.Regexp(t, `^[1-9][0-9]{4,16}$`, digits)
		}
	})
}
