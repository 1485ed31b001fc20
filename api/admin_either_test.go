package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Some vendors have two ways to authenticate. The catalogue then requires the fields of neither; the adapter names the one that is
// missing when a credential is saved.
func TestACredentialNeedsOneOfTwoWaysToAuthenticate(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	create := func(platform, fields string) reply {
		return o.call(http.MethodPost, "/admin/v1/credentials", fmt.Sprintf(`{"storefront_code":"bosley","platform_code":%q,"credentials":{%s}}`, platform, fields))
	}
	for _, c := range []struct{ platform, fields, missing string }{
		{"google_ads", `"customer_id":"1234567890"`, "service_account_json"},
		{"google_ads", `"customer_id":"1234567890","oauth_client_id":"1-a.apps.googleusercontent.com"`, "service_account_json"},
		{"google_ads", `"customer_id":"1234567890","refresh_token":"a-refresh-token"`, "oauth_client_id"},
		{"google_ads", `"customer_id":"1234567890","refresh_token":"a-refresh-token","oauth_client_id":"1-a.apps.googleusercontent.com"`, "oauth_client_secret"},
		{"mixpanel", `"data_residency":"US"`, "project_token"},
		{"mixpanel", `"data_residency":"US","service_account_username":"account"`, "service_account_secret"},
		{"mixpanel", `"data_residency":"US","service_account_username":"account","service_account_secret":"a-secret-of-it"`, "project_id"},
		{"mixpanel", `"data_residency":"US","service_account_secret":"a-secret-of-it","project_id":"42"`, "service_account_username"},
		{"linkedin", ``, "access_token"},
		{"linkedin", `"refresh_token":"a-refresh-token"`, "client_id"},
		{"linkedin", `"refresh_token":"a-refresh-token","client_id":"86abc"`, "client_secret"},
	} {
		refused := create(c.platform, c.fields)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, "%s %s: %s", c.platform, c.fields, refused.text)
		require.Contains(t, refused.text, `"credentials.`+c.missing+`"`, "%s %s", c.platform, c.fields)
		require.Contains(t, refused.text, "is missing")
	}
	for platform, fields := range map[string]string{
		"google_ads": `"customer_id":"1234567890","refresh_token":"a-refresh-token","oauth_client_id":"1-a.apps.googleusercontent.com","oauth_client_secret":"a-secret-of-it"`,
		"mixpanel":   `"data_residency":"US","service_account_username":"account","service_account_secret":"a-secret-of-it","project_id":"42"`,
		"linkedin":   `"access_token":"an-access-token"`,
	} {
		made := create(platform, fields)
		require.Equal(t, http.StatusCreated, made.status, made.text)
	}
}
