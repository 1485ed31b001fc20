package vendors_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox/vendors"
)

// converted is a valid event of LinkedIn's.
func converted() string {
	return fmt.Sprintf(`{"conversion":"urn:lla:llaPartnerConversion:123","conversionHappenedAt":%d,"conversionValue":{"currencyCode":"USD","amount":"80.79"},`+
		`"eventId":"e","user":{"userIds":[{"idType":"SHA256_EMAIL","idValue":%q}]}}`, time.Now().UnixMilli(), strings.Repeat("ab", 32))
}

func TestLinkedInTakesOnlyWhatItsSchemaHas(t *testing.T) {
	t.Parallel()
	replaced := func(old, with string) string {
		require.Contains(t, converted(), old)
		return strings.Replace(converted(), old, with, 1)
	}
	for name, c := range map[string]struct {
		header, value, body string
		status              int
		want                string
	}{
		"an event":                      {"", "", converted(), 201, ""},
		"names and no id":               {"", "", replaced(`{"idType":"SHA256_EMAIL","idValue":"`+strings.Repeat("ab", 32)+`"}]`, `],"userInfo":{"hashedFirstName":"`+strings.Repeat("cd", 32)+`","hashedLastName":"`+strings.Repeat("cd", 32)+`","countryCode":"US"}`), 201, ""},
		"no token":                      {"Authorization", "", converted(), 401, "EMPTY_ACCESS_TOKEN"},
		"a token that was revoked":      {"Authorization", "Bearer " + vendors.RevokedToken, converted(), 401, "65601"},
		"no version":                    {"LinkedIn-Version", "", converted(), 400, "VERSION_MISSING"},
		"a version that is not served":  {"LinkedIn-Version", "202511", converted(), 426, "NONEXISTENT_VERSION"},
		"another protocol":              {"X-Restli-Protocol-Version", "1.0.0", converted(), 400, "INVALID_PROTOCOL"},
		"a form":                        {"Content-Type", "text/plain", converted(), 400, "INVALID_REQUEST"},
		"a field that the schema lacks": {"", "", replaced(`"eventId"`, `"order_id":"1","eventId"`), 400, "INVALID_REQUEST"},
		"a rule's number":               {"", "", replaced("urn:lla:llaPartnerConversion:123", "123"), 422, "/conversion ::"},
		"seconds":                       {"", "", replaced(fmt.Sprint(time.Now().UnixMilli() / 1000)[:9], ""), 422, "/conversionHappenedAt"},
		"an amount that is a number":    {"", "", replaced(`"80.79"`, "80.79"), 422, "/conversionValue/amount"},
		"an amount with an exponent":    {"", "", replaced(`"80.79"`, `"8e1"`), 422, "/conversionValue/amount"},
		"no list of ids":                {"", "", replaced(`"userIds":[{"idType":"SHA256_EMAIL","idValue":"`+strings.Repeat("ab", 32)+`"}]`, `"externalIds":["a"]`), 422, "/user/userIds"},
		"an address that is not hashed": {"", "", replaced(strings.Repeat("ab", 32), "jane@example.com"), 422, "/user/userIds/idValue"},
		"an id without a value":         {"", "", replaced(strings.Repeat("ab", 32), ""), 422, "/user/userIds/idValue"},
		"an id of an unknown type":      {"", "", replaced("SHA256_EMAIL", "PHONE"), 422, "/user/userIds/idType"},
		"two ids of the shop's own":     {"", "", replaced(`"userIds"`, `"externalIds":["a","b"],"userIds"`), 422, "/user/externalIds"},
		"nothing to match by":           {"", "", replaced(`{"idType":"SHA256_EMAIL","idValue":"`+strings.Repeat("ab", 32)+`"}`, ""), 422, "/user/userIds"},
	} {
		r := httptest.NewRequest("POST", vendors.Prefix+"linkedin/conversionEvents", nil)
		for header, value := range map[string]string{"Authorization": "Bearer t", "LinkedIn-Version": "202604", "X-Restli-Protocol-Version": "2.0.0",
			"Content-Type": "application/json", c.header: c.value} {
			r.Header.Set(header, value)
		}
		got, played := vendors.Play(r, []byte(c.body))
		require.True(t, played, name)
		require.Equal(t, c.status, got.Status, "%s: %s", name, got.Body)
		require.Contains(t, got.Body, c.want, name)
	}
}

func TestLinkedInRenewsATokenForItsApp(t *testing.T) {
	t.Parallel()
	const app = "grant_type=refresh_token&client_id=1&client_secret=s&refresh_token="
	for form, want := range map[string]string{
		app + "r":                                  `"access_token"`,
		app + vendors.RevokedToken:                 "invalid_grant",
		"grant_type=password":                      "invalid_request",
		"grant_type=refresh_token&refresh_token=r": "invalid_client",
	} {
		r := httptest.NewRequest("POST", vendors.Prefix+"linkedin/oauth/v2/accessToken", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got, _ := vendors.Play(r, []byte(form))
		require.Contains(t, got.Body, want)
	}
}
