package canonical_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// The short forms of a payload's decisions.
const (
	granted = canonical.Granted
	denied  = canonical.Denied
	unset   = canonical.Unset
)

var (
	silent  = canonical.Consent{}
	refused = canonical.Consent{AdStorage: denied, AdUserData: denied, AdPersonalization: denied, AnalyticsStorage: denied}
	all     = canonical.Consent{AdStorage: granted, AdUserData: granted, AdPersonalization: granted, AnalyticsStorage: granted}
	noAds   = canonical.Consent{AdStorage: denied, AdUserData: denied, AdPersonalization: denied}
	limited = canonical.Consent{Restricted: true}
)

// TestEverySignalOfConsentHasOneMeaning is the table of docs/AD-ANALYTICS-PLATFORMS.md, with spellings of people.
func TestEverySignalOfConsentHasOneMeaning(t *testing.T) {
	t.Parallel()
	part := func(set func(*canonical.Consent)) canonical.Consent {
		c := canonical.Consent{}
		set(&c)
		return c
	}
	noStorage := part(func(c *canonical.Consent) { c.AdStorage = denied })
	california := canonical.Consent{Restricted: true, Country: 1, State: 1000}
	for payload, want := range map[string]canonical.Consent{
		`{}`: silent, `{"consent":null}`: silent, `{"consent":" "}`: silent, `{"consent":{}}`: silent, `{"diagnosis":"denied"}`: silent,
		`{"consent":"Granted"}`: all, `{"consent":true}`: all, `{"consent":"yes"}`: all, `{"consent":1}`: all, `{"consent":"opt_in"}`: all,
		`{"consent":"denied"}`: refused, `{"consent":false}`: refused, `{"consent":"no"}`: refused, `{"consent":0}`: refused,
		`{"consent":"perhaps"}`: refused, `{"consent":["granted"]}`: refused, `{"consent":"CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"}`: refused,
		`{"consent":"{\"ad_storage\":\"granted\"}"}`: refused, `{"consent":{"marketing":false}}`: refused,
		`{"consent":"granted","ad_storage":"denied"}`:    part(func(c *canonical.Consent) { *c = all; c.AdStorage = denied }),
		`{"consent":"denied","consent_state":"granted"}`: refused, `{"consent_state":false}`: refused,
		`{"consent_state":{"ad_storage":false}}`: noStorage, `{"consent_state":{"adStorage":"DENIED"}}`: noStorage,
		`{"consent":{"Ad-Storage":"denied","ad_storage":"granted"}}`: noStorage,
		`{"ad_storage":"denied"}`:                                    noStorage, `{"adStorage":false}`: noStorage, `{"ad_storage":{}}`: noStorage, `{"AD_STORAGE":"x"}`: noStorage,
		`{"ad_user_data":"no"}`:           part(func(c *canonical.Consent) { c.AdUserData = denied }),
		`{"ad_user_data":true}`:           part(func(c *canonical.Consent) { c.AdUserData = granted }),
		`{"ad_personalization":"denied"}`: part(func(c *canonical.Consent) { c.AdPersonalization = denied }),
		`{"analytics_storage":"denied"}`:  part(func(c *canonical.Consent) { c.AnalyticsStorage = denied }),
		`{"marketing_consent":false}`:     noAds, `{"marketing_consent":"no"}`: noAds, `{"marketing_consent":"who knows"}`: noAds,
		`{"marketing_consent":"yes"}`: part(func(c *canonical.Consent) { *c = all; c.AnalyticsStorage = unset }),
		`{"opt_out":true}`:            noAds, `{"opt_out":"1"}`: noAds, `{"optOut":"yes"}`: noAds, `{"opt_out":false}`: silent, `{"opt_out":"no"}`: silent,
		`{"opt_out":"2026-01-01"}`: refused, `{"opt_out":{}}`: refused, `{"opt_out":[]}`: refused,
		`{"non_personalized_ads":true}`:  part(func(c *canonical.Consent) { c.AdPersonalization = denied }),
		`{"non_personalized_ads":false}`: silent, `{"non_personalized_ads":"hm"}`: refused,
		`{"do_not_sell":true}`: limited, `{"doNotSell":"Y"}`: limited, `{"do_not_sell":"false"}`: silent, `{"do_not_sell":7}`: refused,
		`{"limited_data_use":true}`: limited, `{"limited_data_use":0}`: silent, `{"limited_data_use":"x"}`: refused,
		`{"gpc":"1"}`: limited, `{"gpc":1}`: limited, `{"GPC":true}`: limited, `{"gpc":false}`: silent, `{"gpc":""}`: silent, `{"gpc":"on!"}`: refused,
		`{"us_privacy":"1YYN"}`: limited, `{"us_privacy":"1yyn"}`: limited, `{"usPrivacy":"1-Y-"}`: limited, `{"us_privacy":"1YNN"}`: silent,
		`{"us_privacy":"1---"}`: silent, `{"us_privacy":"1YY"}`: refused, `{"us_privacy":"2YNN"}`: refused, `{"us_privacy":true}`: refused,
		`{"us_privacy":{}}`: refused, `{"us_privacy":null}`: silent,
		`{"data_processing_options":["LDU"]}`: limited, `{"data_processing_options":"ldu"}`: limited, `{"data_processing_options":["LMU"]}`: limited,
		`{"data_processing_options":[]}`: silent, `{"data_processing_options":""}`: silent, `{"data_processing_options":null}`: silent,
		`{"data_processing_options":["X"]}`: refused, `{"data_processing_options":[[]]}`: refused, `{"data_processing_options":{}}`: refused,
		`{"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":1000}`:         california,
		`{"data_processing_options":["LDU"],"data_processing_options_country":"US","data_processing_options_state":"CA"}`:      california,
		`{"data_processing_options":["LDU"],"data_processing_options_state":"1000"}`:                                           california,
		`{"data_processing_options":["LDU"],"data_processing_options_country":-1,"data_processing_options_state":99999999999}`: limited,
		`{"consent":{"gpc":true,"analytics_storage":"granted"}}`:                                                               part(func(c *canonical.Consent) { c.Restricted = true; c.AnalyticsStorage = granted }),
		`{"consent":{"ad_storage":"granted","marketing":false}}`:                                                               refused, `{"consent":{"analytics_storage":"granted","ads":"Denied "}}`: refused,
		`{"consent":{"ad_storage":"granted","vendors":[{"google":"no"}]}}`: refused, `{"consent_state":{"ad_storage":true,"purposes":{"ads":0}}}`: refused,
		`{"consent":{"ad_storage":"denied","version":0,"region":"NO","ads_data_redaction":false,"preferences":true}}`: noStorage,
		`{"consent":{"consent":{"consent":"denied"}}}`:                                                                refused,
		`{"consent":{"consent":{"consent":{"consent":{}}}}}`:                                                          refused,
	} {
		got := canonical.ReadConsent(event(t, payload))
		got.Fields = nil
		require.Equal(t, want, got, payload)
	}
}

func TestConsentNamesTheFieldsThatDecided(t *testing.T) {
	t.Parallel()
	c := canonical.ReadConsent(event(t, `{"gpc":false,"consent":{"ad_storage":"granted"},"opt_out":null,"email":"x"}`))
	require.Equal(t, []string{"consent", "gpc"}, c.Fields)
}

func TestRequiredConsentThatIsMissingIsDenied(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]canonical.Consent{
		`{}`: refused, `{"opt_out":false}`: refused, `{"gpc":"0"}`: refused, `{"consent":"granted"}`: all,
		`{"consent":{"analytics_storage":"granted"}}`: {AdStorage: denied, AdUserData: denied, AdPersonalization: denied, AnalyticsStorage: granted},
		`{"marketing_consent":true}`:                  {AdStorage: granted, AdUserData: granted, AdPersonalization: granted, AnalyticsStorage: denied},
	} {
		e := event(t, payload)
		e.Storefront.RequireConsent = true
		got := canonical.ReadConsent(e)
		got.Fields = nil
		require.Equal(t, want, got, payload)
	}
}

func TestTheStricterOfShopperAndAdminWins(t *testing.T) {
	t.Parallel()
	e := event(t, `{"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":1000,"consent":"granted"}`)
	c := canonical.ReadConsent(e).With(relay.Options{OptOut: true, LimitedCountry: 1, LimitedState: 1005})
	require.True(t, c.Restricted)
	require.False(t, c.Personalized())
	require.NoError(t, c.Ads())
	require.Equal(t, []int{1, 1000}, []int{c.Country, c.State}, "the event's own place")
	c = canonical.ReadConsent(event(t, `{}`)).With(relay.Options{LimitedDataUse: true, LimitedCountry: 1, LimitedState: 1000})
	require.Equal(t, canonical.Consent{Restricted: true, Country: 1, State: 1000}, c)
	c = canonical.ReadConsent(event(t, `{"limited_data_use":false,"consent":"granted"}`)).With(relay.Options{LimitedDataUse: true})
	require.True(t, c.Restricted, "a payload does not revoke the admin's restriction")
	require.True(t, c.AdsLimited(relay.Options{}))
	require.Equal(t, granted, c.Of(canonical.AdStorage))
	require.Equal(t, unset, c.Of("functionality_storage"))
}

func TestAPlatformWithoutRestrictedProcessingGetsNoRestrictedEvent(t *testing.T) {
	t.Parallel()
	e := event(t, `{"us_privacy":"1YYN"}`)
	_, err := canonical.Open(relay.Destination{}, e, rules)
	requireRefusal(t, relay.Refusal{Reason: relay.ReasonConsentDenied, Skip: true}, err)
	r := rules
	r.Restricts = true
	f, err := canonical.Open(relay.Destination{}, e, r)
	require.NoError(t, err)
	require.True(t, f.Consent.Restricted)
}

func TestListsOfFieldsDoNotHideConsent(t *testing.T) {
	t.Parallel()
	for _, o := range []relay.Options{{Allow: []string{"utm_source"}}, {Deny: []string{"consent", "opt_out"}}} {
		for _, payload := range []string{`{"consent":"denied"}`, `{"opt_out":true}`} {
			_, err := canonical.Open(relay.Destination{Options: o}, event(t, payload), rules)
			requireRefusal(t, relay.Refusal{Reason: relay.ReasonConsentDenied, Skip: true}, err)
		}
	}
}

func FuzzConsent(f *testing.F) {
	f.Add("consent", []byte(`{"ad_storage":{"consent":[1]}}`))
	f.Add("us_privacy", []byte(`"1YYN"`))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		if !json.Valid(value) {
			t.Skip()
		}
		before := canonical.ReadConsent(relay.Event{Payload: relay.Payload{"opt_out": json.RawMessage("true")}})
		after := canonical.ReadConsent(relay.Event{Payload: relay.Payload{"opt_out": json.RawMessage("true"), name + " ": value}})
		for _, part := range []string{canonical.AdStorage, canonical.AdUserData, canonical.AdPersonalization} {
			require.Equal(t, denied, before.Of(part))
			require.Equal(t, denied, after.Of(part), "no signal revokes a refusal")
		}
	})
}
