package demo

import (
	"cmp"
	"strings"

	"relay/adapters"
	"relay/deploy/sandbox/vendors"
	"relay/internal/ops"
	"relay/internal/relay"
)

// SandboxURL is the placeholder of the sandbox's address in a field of accounts.
const SandboxURL = "{sandbox}"

// TokenPrefix begins the secrets that have no form of their own. A test may replace them.
const TokenPrefix = "token-of-"

// EventID is the id of any event at a platform that knows events by ids of the advertiser's.
const EventID = "1234567"

// accounts holds a credential for each platform that the sandbox plays, as their catalogue entries require them.
var accounts = map[string]map[string]string{
	"meta_capi": {"pixel_id": "1234567890", "access_token": "token-of-brio-at-meta"},
	"ga4":       {"measurement_id": "G-BRIO", "api_secret": "token-of-brio-at-ga4"},
	"tiktok":    {"pixel_code": "CBRIO", "access_token": "token-of-brio-at-tiktok"},
	"snapchat":  {"pixel_id": "0a1b2c3d-brio", "access_token": "token-of-brio-at-snapchat"},
	"pinterest": {"ad_account_id": "549755885175", "access_token": "token-of-brio-at-pinterest"},

	"microsoft_ads": {"uet_tag_id": "12345678", "api_token": "token-of-brio-at-microsoft"},
	"linkedin":      {"access_token": "token-of-brio-at-linkedin"},
	"reddit":        {"pixel_id": "a2_brio", "access_token": "token-of-brio-at-reddit"},
	"google_ads": {"customer_id": "1234567890", "oauth_client_id": "1-brio.apps.googleusercontent.com", "oauth_client_secret": "token-of-brio-at-google",
		"refresh_token": "token-of-brio-at-google", "token_url": SandboxURL + vendors.Prefix + "google_ads/token"},
	"segment":     {"write_key": "token-of-brio-at-segment"},
	"rudderstack": {"write_key": "token-of-brio-at-rudderstack", "data_plane_host": "brio.dataplane.example.com"},

	"klaviyo":     {"private_api_key": "pk_of-brio-at-klaviyo"},
	"customer_io": {"site_id": "site_of_brio", "api_key": "token-of-brio-at-customer-io", "region": "US"},
	"mixpanel":    {"project_token": "token-of-brio-at-mixpanel", "data_residency": "US"},
	"amplitude":   {"api_key": "token-of-brio-at-amplitude", "data_residency": "US"},

	"webhook": {"url": SandboxURL + vendors.Prefix + "webhook", "signing_secret": vendors.WebhookSecret},
}

// agreements are those of the platforms that match no hashes.
var agreements = map[string]string{"klaviyo": relay.BAASigned, "customer_io": relay.BAASigned}

// Account returns a credential at a platform that the sandbox plays, with every option switched on.
func Account(sandboxURL, platform string) ops.Credential {
	c := ops.Credential{
		Platform: platform,
		Fields:   map[string]relay.Secret{},
		Active:   true,
		Options:  relay.Options{Identifiers: "hashed", PlainIdentifiers: agreements[platform], SendIP: true, SendUserAgent: true, Events: map[string]relay.EventRule{}},
	}
	for name, value := range accounts[platform] {
		c.Fields[name] = relay.NewSecret(strings.ReplaceAll(value, SandboxURL, sandboxURL))
	}
	for _, event := range eventNames(platform).NeedID {
		c.Options.Events[event] = relay.EventRule{Name: EventID}
	}
	return c
}

// NeutralName returns a name for an event type at a platform that reveals nothing: the adapter's own proposal, or an id.
func NeutralName(platform, event string) string {
	return cmp.Or(eventNames(platform).Proposed[event], EventID)
}

func eventNames(platform string) relay.EventNames {
	if namer, ok := adapters.All()[platform].(relay.Namer); ok {
		return namer.EventNames()
	}
	return relay.EventNames{}
}

// ClickIDs are the ids of clicks that some platforms match by, in the fields of a payload. Each has the form that its vendor checks.
func ClickIDs() map[string]any {
	return map[string]any{
		"gclid": "EAIaIQ-brio", "msclkid": "12345678-1234-4234-8234-123456789012", "li_fat_id": "b1a2c3d4-brio", "rdt_cid": "4711-brio",
	}
}
