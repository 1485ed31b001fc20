// Package mixpanel sends events to Mixpanel's Import API. Its Track API takes events of five days only and has no error for one event.
//
// Sources: https://docs.mixpanel.com/reference/import-events; github.com/mixpanel/docs @ba229069, openapi/ingestion.openapi.yaml.
package mixpanel

import (
	"cmp"
	"errors"
	"net/url"
	"regexp"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const version = "mixpanel/1" // the API has no version

// Settings and secrets of a project, by the catalogue's names. Either the project's token or a service account and the project's id
// is needed.
const (
	SettingResidency     = "data_residency"
	SettingProjectID     = "project_id"
	SettingAccount       = "service_account_username"
	SecretAccount        = "service_account_secret"
	SecretProjectToken   = "project_token"
	neitherTokenNorOther = "project_token: is missing; either it or service_account_username, service_account_secret and project_id are needed"
)

var regions = canonical.Regions{Setting: SettingResidency, Home: "US", Addresses: map[string]string{
	"US": "https://api.mixpanel.com", "EU": "https://api-eu.mixpanel.com", "IN": "https://api-in.mixpanel.com",
}}

// Events have no names of the vendor's.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "purchase", "consult_started": "lead"},
	Proposed: map[string]string{
		"rx_issued": "application_submitted", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
		"subscription_started": "subscription_started", "subscription_renewed": "subscription_renewed", "renewal": "subscription_renewed",
		"subscription_cancelled": "subscription_cancelled", "cancellation": "subscription_cancelled", "order_cancelled": "order_cancelled",
	},
}

var (
	projectID   = regexp.MustCompile(`^[0-9]{1,20}$`)
	accountName = regexp.MustCompile(`^[!-9;-~]{1,200}$`) // the user of HTTP Basic, which ends at a colon
)

// Adapter renders events for Mixpanel and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(canonical.CheckAs(d, canonical.Traits{Plain: true}), regions.Check(d), checkAccess(d))
}

func checkAccess(d relay.Destination) error {
	switch {
	case usesAccount(d):
		return cmp.Or(
			canonical.CheckSetting(d, SettingAccount, accountName),
			canonical.CheckToken(d, SecretAccount),
			canonical.CheckSetting(d, SettingProjectID, projectID),
		)
	case !d.Secrets[SecretProjectToken].IsSet():
		return errors.New(neitherTokenNorOther)
	}
	return canonical.CheckToken(d, SecretProjectToken)
}

// usesAccount reports whether the destination has a service account, which is preferred to a token.
func usesAccount(d relay.Destination) bool {
	return d.Settings[SettingAccount] != "" || d.Secrets[SecretAccount].IsSet()
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Analytics, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	query, authorization := access(d)
	return f.Post(version, regions.Base(d)+"/import?"+query.Encode(), map[string]string{"Authorization": authorization}, []event{ev})
}

// access is the query and the header Authorization. With strict, Mixpanel reports the errors of an event.
func access(d relay.Destination) (url.Values, string) {
	query := url.Values{"strict": {"1"}}
	if !usesAccount(d) {
		return query, canonical.BasicAuth(d.Secrets[SecretProjectToken].Reveal(), "")
	}
	query.Set("project_id", d.Settings[SettingProjectID])
	return query, canonical.BasicAuth(d.Settings[SettingAccount], d.Secrets[SecretAccount].Reveal())
}
