package identity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/identity"
)

func TestPlaceholdersAreEmpty(t *testing.T) {
	t.Parallel()
	for clean, raws := range map[*func(string) string][]string{
		ptr(identity.Email): {"none@none.com", "noemail@noemail.com", "no-email@shop.example", "guest@shop.example", "Anonymous@shop.example", "null@null.com",
			"undefined@shop.example", "n/a@shop.example", "noreply@shop.example", "test@test.com", "email@email.com", "0000@shop.example", "jane@none.com",
			"jane@noemail.com", "jane@shop.invalid", "na@na.na", "123456@test.com", "a@a.com", "1@1.com", "123@123.com"},
		ptr(e164("US")): {"0000000000", "1111111111", "1234567890", "+1 000 000 0000", "+10000000000", "555-555-5555", "(999) 999-9999", "9876543210",
			"+1 234 567 8901", "undefined", "n/a", "+11111111111", "00 000 000"},
		ptr(identity.Name):       {"null", "Undefined", "GUEST", "n/a", "(not set)", "none", "Unknown", "test", "xxxxx"},
		ptr(identity.City):       {"N/A", "unknown", "null", "na"},
		ptr(state("")):           {"N/A", "undefined", "none"},
		ptr(state("de")):         {"n/a", "Unknown"},
		ptr(zip("")):             {"00000", "11111", "99999", "12345", "0000"},
		ptr(zip("us")):           {"00000", "00000-0000", "12345"},
		ptr(identity.Birthday):   {"1900-01-01", "19000101", "0000-00-00"},
		ptr(identity.ExternalID): {"undefined", "null", "none", "N/A", "(not set)", "anonymous", "guest", "0", "0000", "1111111", "123456789", "-", "-1", "[object Object]"},
		ptr(identity.Country):    {"unknown", "n/a", "null"},
	} {
		for _, raw := range raws {
			require.Empty(t, (*clean)(raw), "%q", raw)
			require.Empty(t, identity.Digest(raw, *clean), "%q", raw)
		}
	}
	for _, word := range []string{"undefined", "null", "none", "guest", "unknown", "none@none.com", "0000000000"} {
		require.Empty(t, identity.Digest(identity.Hash(word), identity.ExternalID), "the hash of %q", word)
	}
	require.Empty(t, identity.Digest("0000000000000000000000000000000000000000000000000000000000000000", identity.Email))
}

func TestValuesThatResemblePlaceholdersAreKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{identity.Name("Na"), "na"}, {identity.Name("Nan"), "nan"}, {identity.Name("Guestrin"), "guestrin"}, {identity.Name("Testa"), "testa"},
		{identity.Email("test@shop.example"), "test@shop.example"}, {identity.Email("123456@qq.com"), "123456@qq.com"}, {identity.Email("a@x.com"), "a@x.com"},
		{identity.Email("guestrin@shop.example"), "guestrin@shop.example"}, {identity.Email("email@shop.example"), "email@shop.example"},
		{identity.Email("nulla@nullarbor.example"), "nulla@nullarbor.example"},
		{identity.Country("NA"), "na"}, {identity.Zip("22222", "us"), "22222"}, {identity.ExternalID("1234"), "1234"}, {identity.ExternalID("777"), "777"},
		{identity.PhoneE164("(415) 555-0100", "US"), "+14155550100"},
	} {
		require.Equal(t, c.want, c.got)
	}
}

func TestNumbersAreReadWithoutTheWordsAroundThem(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"(415) 555-0132 ext 4": "+14155550132", "415-555-0132 call after 5": "+14155550132", "4155550132 x4": "+14155550132", "415-555-0132ext4": "+14155550132",
		"415 555 0132 (mobile)": "+14155550132", "cell: 415-555-0132": "+14155550132", "Tel. +1 415 555 0132, evenings": "+14155550132", "415-555-0132 #12": "+14155550132",
		"415-555-0132; 415-555-0199": "+14155550132", "+44 20 7946 0958 Londres après 17h": "+442079460958",
		"1-800-FLOWERS": "+18003569377", "1 800 FLOWERS": "+18003569377",
		"415-555-0132 / 415-555-0199": "+14155550132", "415-555-0132\n415-555-0199": "+14155550132", "+44 (0)20 7946 0958": "+442079460958",
		"011 44 20 7946 0958": "+442079460958", "+1.415.555.0132": "+14155550132", "415/555-0132": "+14155550132",
		"555-0132 ext 4": "", "555-0132": "", "call after 5": "", "555-0132 cal": "", "five five five": "", "": "",
		"+52 1 55 1234 5678": "+525512345678", "+5215512345678": "+525512345678", "+52 55 1234 5678": "+525512345678", "0052 1 55 1234 5678": "+525512345678",
	} {
		require.Equal(t, want, identity.PhoneE164(raw, "US"), raw)
	}
	require.Equal(t, "+525512345678", identity.PhoneE164("1 55 1234 5678", "MX"))
	require.Equal(t, "+525512345678", identity.PhoneE164("044 55 1234 5678", "MX"))
}

// The hashes that browsers make: their lower case is that of whole words.
func TestLowerCaseFollowsUnicode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{identity.Name("ΟΔΥΣΣΕΥΣ"), "οδυσσευς"}, {identity.Name("Οδυσσεύς"), "οδυσσεύς"}, {identity.City("ΠΑΤΡΑΣ ΝΟΤΟΣ"), "πατραςνοτος"},
		{identity.City("İstanbul"), "i\u0307stanbul"}, {identity.Name("STRASSE"), "strasse"}, {identity.Name("GROẞ"), "groß"},
		{identity.Email("ΣΟΦΟΣ@παράδειγμα.ελ"), "σοφος@παράδειγμα.ελ"}, {identity.ExternalID("ΑΣ"), "ας"},
	} {
		require.Equal(t, c.want, c.got)
	}
}

func TestZipCodesAndDatesOfTheUS(t *testing.T) {
	t.Parallel()
	for _, country := range []string{"us", "pr", "gu", "vi", "as", "mp"} {
		for raw, want := range map[string]string{"00901-1234": "00901", "009011234": "00901", "00901 1234": "00901", "00901": "00901", "0090": ""} {
			require.Equal(t, want, identity.Zip(raw, country), country)
		}
	}
	for raw, want := range map[string]string{
		"12/31/1990": "19901231", "12-31-1990": "19901231", "5/5/1990": "19900505", "12/31/1990 00:00:00": "19901231", "1990-12-31": "19901231",
		"01/02/1990": "", "31/12/1990": "", "13/13/1990": "", "2/30/1990": "", "12/31/90": "", "12/31/1890": "",
	} {
		require.Equal(t, want, identity.BirthdayIn(raw, " us"), raw)
	}
	require.Empty(t, identity.BirthdayIn("12/31/1990", "GB"))
	require.Empty(t, identity.BirthdayIn("12/31/1990", ""))
}
