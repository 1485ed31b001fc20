// Package googleads sends conversions to Google Ads through the Data Manager API.
//
// Google forbids measuring health and medical purchases with data of the person (https://support.google.com/adspolicy/answer/7475709).
// Under the data policy health only click ids leave, whatever the options say.
//
// Sources: Google's discovery document datamanager/v1, revision 20261106; https://developers.google.com/data-manager/api. Not confirmed:
// how old an event may be on arrival, and the spelling of field in errors.
package googleads

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	apiURL     = "https://datamanager.googleapis.com"
	apiVersion = "v1"
	version    = "google_ads/1"

	tokenURL = "https://oauth2.googleapis.com/token"
	scope    = "https://www.googleapis.com/auth/datamanager"

	// maxAge is our choice: Google's windows are not confirmed. A click counts within the conversion action's window, 90 days at most.
	maxAge = 60 * 24 * time.Hour
)

// Settings and secrets of an account, by the catalogue's names. Either the service account's key or the three of OAuth are set.
const (
	SettingCustomerID      = "customer_id"
	SettingLoginCustomerID = "login_customer_id" // the manager account through which the caller has access
	SettingClientID        = "oauth_client_id"
	SettingTokenURL        = "token_url" // another address than Google's, as for api_base_url
	SecretServiceAccount   = "service_account_json"
	SecretClientSecret     = "oauth_client_secret"
	SecretRefreshToken     = "refresh_token"
)

// Events have ids of conversion actions in place of names. There is no default: it would be another advertiser's.
var Events = canonical.EventNames{NeedID: []string{"purchase_completed"}}

// Adapter renders events for Google Ads and reads its responses.
type Adapter struct{}

var (
	customerID = regexp.MustCompile(`^([0-9]{10}|[0-9]{3}-[0-9]{3}-[0-9]{4})$`)
	clientID   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)
	actionID   = canonical.Form{Pattern: regexp.MustCompile(`^[0-9]{1,20}$`), Like: "987654321"}
)

// EventNames returns the types of events that need the id of a conversion action.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.CheckAs(d, canonical.Traits{EventID: actionID}),
		canonical.CheckSetting(d, SettingCustomerID, customerID),
		optional(d, SettingLoginCustomerID, func() error { return canonical.CheckSetting(d, SettingLoginCustomerID, customerID) }),
		optional(d, SettingTokenURL, func() error { return canonical.CheckURL(d, SettingTokenURL) }),
		checkAuth(d),
	)
}

func optional(d relay.Destination, name string, check func() error) error {
	if d.Settings[name] == "" {
		return nil
	}
	return check()
}

// checkAuth requires one of the two ways to a token, and no more: which of them acts would be hard to see.
func checkAuth(d relay.Destination) error {
	account, refresh := d.Secrets[SecretServiceAccount], d.Secrets[SecretRefreshToken]
	switch {
	case account.IsSet() && refresh.IsSet():
		return errors.New(SecretServiceAccount + ": " + SecretRefreshToken + " is set, too; one of them is enough")
	case account.IsSet():
		if _, err := relay.ParseServiceAccount(account); err != nil {
			return fmt.Errorf("%s: %w", SecretServiceAccount, err)
		}
		return nil
	case !refresh.IsSet():
		return fmt.Errorf("%s: is missing, and so is %s, of which one is required", SecretServiceAccount, SecretRefreshToken)
	}
	return cmp.Or(
		canonical.CheckSetting(d, SettingClientID, clientID),
		canonical.CheckToken(d, SecretClientSecret),
		canonical.CheckToken(d, SecretRefreshToken),
	)
}

// Request returns the request for one event. With options.test Google validates it and records nothing.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{MaxAge: maxAge})
	if err != nil {
		return relay.Request{}, err
	}
	b, err := newBody(f, d, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	r, err := f.Post(canonical.Version(version, base), base+"/events:ingest", nil, b)
	if err != nil {
		return relay.Request{}, err
	}
	r.Auth, r.Validates = auth(d), d.Options.Test
	return r, nil
}

// auth describes the access token, which the sending side adds.
func auth(d relay.Destination) relay.Auth {
	a := relay.Auth{Kind: relay.AuthServiceAccount, Secrets: []string{SecretServiceAccount}, TokenURL: cmp.Or(d.Settings[SettingTokenURL], tokenURL), Scope: scope}
	if !d.Secrets[SecretServiceAccount].IsSet() {
		// Google takes the scope from the grant, and refuses one that the person has not granted.
		a.Kind, a.Secrets, a.ClientID, a.Scope = relay.AuthRefreshToken, []string{SecretRefreshToken, SecretClientSecret}, d.Settings[SettingClientID], ""
	}
	return a
}

// accountOf is the number of an account without its dashes.
func accountOf(number string) account {
	return account{AccountType: "GOOGLE_ADS", AccountID: strings.ReplaceAll(number, "-", "")}
}
