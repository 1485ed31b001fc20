package main

import (
	"maps"
	"slices"
	"strings"

	"relay/adapters/amplitude"
	"relay/adapters/canonical"
	customerio "relay/adapters/customer_io"
	"relay/adapters/ga4"
	googleads "relay/adapters/google_ads"
	"relay/adapters/klaviyo"
	"relay/adapters/linkedin"
	"relay/adapters/meta"
	microsoftads "relay/adapters/microsoft_ads"
	"relay/adapters/mixpanel"
	"relay/adapters/pinterest"
	"relay/adapters/reddit"
	"relay/adapters/snapchat"
	"relay/adapters/tiktok"
	"relay/adapters/tracking"
	"relay/adapters/webhook"
)

// implemented holds the data that a platform's adapter defines.
type implemented struct {
	canonical.EventNames
	Short      string
	Currencies []string
}

// order is the order of the platforms on the page.
var order = []string{"meta_capi", "ga4", "google_ads", "tiktok", "snapchat", "pinterest", "microsoft_ads", "linkedin", "reddit", "segment", "rudderstack",
	"klaviyo", "customer_io", "mixpanel", "amplitude", "webhook"}

// platforms holds the platforms with an adapter by their code in the catalogue. A test compares them with the registry.
var platforms = map[string]implemented{
	"meta_capi": {Short: "Meta", EventNames: meta.Events},
	"ga4":       {Short: "GA4", EventNames: ga4.Events},
	"tiktok":    {Short: "TikTok", EventNames: tiktok.Events},
	"snapchat":  {Short: "Snapchat", EventNames: snapchat.Events, Currencies: snapchat.Currencies},
	"pinterest": {Short: "Pinterest", EventNames: pinterest.Events},
	"webhook":   {Short: "Webhook", EventNames: webhook.Events},

	"microsoft_ads": {Short: "Microsoft", EventNames: microsoftads.Events},
	"linkedin":      {Short: "LinkedIn", EventNames: linkedin.Events},
	"reddit":        {Short: "Reddit", EventNames: reddit.Events},
	"google_ads":    {Short: "Google Ads", EventNames: googleads.Events},
	"segment":       {Short: "Segment", EventNames: tracking.Events},
	"rudderstack":   {Short: "RudderStack", EventNames: tracking.Events},

	"klaviyo":     {Short: "Klaviyo", EventNames: klaviyo.Events},
	"customer_io": {Short: "Customer.io", EventNames: customerio.Events},
	"mixpanel":    {Short: "Mixpanel", EventNames: mixpanel.Events},
	"amplitude":   {Short: "Amplitude", EventNames: amplitude.Events},
}

// row is an event of the relay with its name at each platform.
type row struct {
	Event  string
	Vendor []string
}

// rows returns the events that have a name at one platform at least.
func rows(sections []section, names func(section) map[string]string) []row {
	events := map[string]bool{}
	for _, s := range sections {
		for event := range names(s) {
			events[event] = true
		}
	}
	var list []row
	for _, event := range slices.Sorted(maps.Keys(events)) {
		r := row{Event: event}
		for _, s := range sections {
			r.Vendor = append(r.Vendor, names(s)[event])
		}
		list = append(list, r)
	}
	return list
}

// list formats names for a sentence.
func list(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
