package identity_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/identity"
)

// phone and the like fix the country, so that every cleaner has one argument.
func digits(region string) func(string) string {
	return func(s string) string { return identity.PhoneDigits(s, region) }
}

func e164(region string) func(string) string {
	return func(s string) string { return identity.PhoneE164(s, region) }
}

func state(country string) func(string) string {
	return func(s string) string { return identity.State(s, country) }
}

func zip(country string) func(string) string {
	return func(s string) string { return identity.Zip(s, country) }
}

// TestGoldenVectors holds hashes that were computed elsewhere and checked against at least one library that is not ours.
func TestGoldenVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw        string
		clean      func(string) string
		normalised string
		hash       string
	}{
		// npm facebook-nodejs-business-sdk 24.0.1, capi-param-builder-nodejs 1.3.2, segmentio/action-destinations and others agree.
		{" Jane.Doe+rx@Example.COM ", identity.Email, "jane.doe+rx@example.com", "c4368707bf8fe93365c93a0ea84c7e027c9215218a706388979294e0a799ccfb"},
		{"Test@Example.com", identity.Email, "test@example.com", "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"},
		// developers.snap.com, Conversions API, Parameters
		{"person@example.com", identity.Email, "person@example.com", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"},
		{"+44 844 412 4653", digits("US"), "448444124653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"},
		{"John", identity.Name, "john", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"},
		{"Raphaël", identity.Name, "raphaël", "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"},
		// facebook-nodejs-business-sdk, capi-param-builder-nodejs, STAPE facebook-tag and pinterest-tag
		{"+1 (415) 555-0132", digits("US"), "14155550132", "11072303eb5c8cb5c5a1ebb762f11b37b07131265b46fdfe1276196bfbd3ca51"},
		// segmentio/action-destinations, tiktok-conversions
		{"+1 (415) 555-0132", e164("US"), "+14155550132", "9e1919ad78a34fd67a84bfbcf2fea14074065517bea32e92924771c3f92e5462"},
		{"+1 555 555 5555", e164("US"), "+15555555555", "910a625c4ba147b544e6bd2f267e130ae14c591b6ba9c25cb8573322dedbebd0"},
		// TikTok's worked example, ads.tiktok.com/help (advanced matching)
		{"0812-3456-7890", e164("ID"), "+6281234567890", "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd"},
		// capi-param-builder-nodejs and Meta's text; plain ASCII where the libraries agree
		{"Jane", identity.Name, "jane", "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2"},
		{"O'Doe Smith", identity.Name, "odoesmith", "86d40fb71b08a94b479e19533a820d32c35594ac3297c09815e6dddd61c14a8a"},
		{"San Francisco", identity.City, "sanfrancisco", "1a6bd4d9d79dc0a79b53795c70d3349fa9e38968a3fbefbfe8783efb1d2b6aac"},
		{"California", state("us"), "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"},
		{"94107-1234", zip("us"), "94107", "c884a209ebe08750a7d13db63bd02233b375bd79786cbe329ab11586cc35dead"},
		{"United States", identity.Country, "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"},
		{"Female", identity.Gender, "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"},
		{"M", identity.Gender, "m", "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"},
		{"1990-01-02", identity.Birthday, "19900102", "19bb8a164e99b8549f5f5c9e810115de44d02402f68aefe2df61b4fddacfa085"},
		{" Session_ABC ", identity.ExternalID, "session_abc", "b075e555d866a3fd76353170e7635f6c79309d8a22090d3facbee3e502e662dd"},
	} {
		require.Equal(t, c.normalised, c.clean(c.raw), c.raw)
		require.Equal(t, c.hash, identity.Digest(c.raw, c.clean), c.raw)
		require.Equal(t, c.hash, identity.Digest(" "+strings.ToUpper(c.hash)+"\n", c.clean), "a hash is not hashed again")
		require.Empty(t, identity.Plain(c.hash, c.clean), "a hash is not a plain value")
	}
}

func TestInvalidValuesAreEmpty(t *testing.T) {
	t.Parallel()
	for clean, raws := range map[*func(string) string][]string{
		ptr(identity.Email):      {"", " ", "jane", "jane@", "@example.com", "jane@localhost", "a b@example.com", "Jane <jane@example.com>", "a@b@c.de", "\xff@example.com", "a@b..c", strings.Repeat("a", 250) + "@example.com"},
		ptr(digits("US")):        {"", "n/a", "555-0132", "12", "+", "00", "999999999999999999", "415555013"},
		ptr(digits("")):          {"(415) 555-0132", "844 412 4653"},
		ptr(identity.Name):       {"", "-", "'", "123", "🙂"},
		ptr(identity.City):       {"", "94107", "..."},
		ptr(state("us")):         {"", "Ontario", "XX", "12"},
		ptr(state("ca")):         {"Texas"},
		ptr(zip("us")):           {"", "2139", "SW1A 1AA", "9410712"},
		ptr(zip("")):             {"", "-", "abc", "12345678901234"},
		ptr(identity.Country):    {"", "Atlantis", "XX", "1", "北"},
		ptr(identity.Gender):     {"", "x", "n", "unknown", "0"},
		ptr(identity.Birthday):   {"", "01/02/1990", "1990-02-30", "1990", "0000-00-00", "1800-01-01", "T", "2150-01-01"},
		ptr(identity.ExternalID): {"", "  ", "null", "Undefined", "0", "-1"},
	} {
		for _, raw := range raws {
			require.Empty(t, (*clean)(raw), "%q", raw)
			require.Empty(t, identity.Digest(raw, *clean), "%q", raw)
		}
	}
	require.Empty(t, identity.Digest("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", identity.Email),
		"the hash of nothing is nothing")
}

func ptr(f func(string) string) *func(string) string { return &f }

func TestSpellingsAreNormalised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{identity.PhoneDigits("(415) 555-0132", "US"), "14155550132"},
		{identity.PhoneDigits("1-415-555-0132", "us"), "14155550132"},
		{identity.PhoneDigits("14155550132", "US"), "14155550132"},
		{identity.PhoneDigits("020 7946 0958", "GB"), "442079460958"},
		{identity.PhoneDigits("0044 20 7946 0958", "US"), "442079460958"},
		{identity.PhoneDigits("442079460958", "US"), "442079460958"}, // the "+" was forgotten
		{identity.PhoneE164("+39 02 3661 8300", "US"), "+390236618300"},
		{identity.PhoneE164("+1 415 555 0132 ext. 7", "US"), "+14155550132"},
		{identity.Name("  Anne-Marie "), "annemarie"},
		{identity.Name("O’Doe"), "odoe"},
		{identity.Name("Raphae\u0308l"), "raphaël"}, // a combining accent
		{identity.Name("李"), "李"},
		{identity.City("São Paulo"), "sãopaulo"},
		{identity.City("Saint-Denis 93"), "saintdenis"},
		{identity.State("CA", "us"), "ca"},
		{identity.State("US-CA", ""), "ca"},
		{identity.State("new york", ""), "ny"},
		{identity.State("Québec", "ca"), "qc"},
		{identity.State("Washington D.C.", "us"), "dc"},
		{identity.State("Utah", ""), "ut"},
		{identity.State("Bayern", "de"), "bayern"},
		{identity.Zip("94107", ""), "94107"},
		{identity.Zip("94107-1234", ""), "94107"},
		{identity.Zip("941071234", "us"), "94107"},
		{identity.Zip("SW1A 1AA", "gb"), "sw1a1aa"},
		{identity.Zip("k1a-0b1", "ca"), "k1a0b1"},
		{identity.Country("USA"), "us"},
		{identity.Country("U.S."), "us"},
		{identity.Country("The United States of America"), "us"},
		{identity.Country("uk"), "gb"},
		{identity.Country("Côte d’Ivoire"), "ci"},
		{identity.Country("Antigua and Barbuda"), "ag"},
		{identity.Gender("MALE "), "m"},
		{identity.Birthday("1990-01-02T00:00:00Z"), "19900102"},
		{identity.Birthday("1990-01-02 00:00:00"), "19900102"},
		{identity.Birthday("19900102"), "19900102"},
	} {
		require.Equal(t, c.want, c.got)
	}
}
