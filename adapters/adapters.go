// Package adapters is the registry: one line a platform, under the code by which the catalogue and the credentials know it.
package adapters

import (
	"relay/adapters/amplitude"
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
	"relay/adapters/rudderstack"
	"relay/adapters/segment"
	"relay/adapters/sgtm"
	"relay/adapters/snapchat"
	"relay/adapters/tiktok"
	"relay/adapters/webhook"
	"relay/internal/relay"
)

// All are the adapters of the production binary, by destination key. The map is the caller's own.
func All() map[string]relay.Adapter {
	return map[string]relay.Adapter{
		relay.SGTM:  sgtm.Adapter{},
		"meta_capi": meta.Adapter{},
		"ga4":       ga4.Adapter{},
		"tiktok":    tiktok.Adapter{},
		"snapchat":  snapchat.Adapter{},
		"pinterest": pinterest.Adapter{},
		"webhook":   webhook.Adapter{},

		"microsoft_ads": microsoftads.Adapter{},
		"linkedin":      linkedin.Adapter{},
		"reddit":        reddit.Adapter{},
		"google_ads":    googleads.Adapter{},
		"segment":       segment.Adapter{},
		"rudderstack":   rudderstack.Adapter{},

		"klaviyo":     klaviyo.Adapter{},
		"customer_io": customerio.Adapter{},
		"mixpanel":    mixpanel.Adapter{},
		"amplitude":   amplitude.Adapter{},
	}
}
