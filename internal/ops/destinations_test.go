package ops_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestADestinationReportsWhetherItReceivesEvents(t *testing.T) {
	t.Parallel()
	on := relay.Storefront{Active: true}
	meta := []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true, HasAdapter: true}}
	for _, tc := range []struct {
		name        string
		destination string
		switches    relay.Switches
		receives    bool
		reason      relay.Reason
	}{
		{"an active container does", relay.SGTM, relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Active: true}}, true, ""},
		{"a container that is off does not", relay.SGTM, relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{}}, false, relay.ReasonSGTMDisabled},
		{"a container that is off and stops", relay.SGTM, relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Stop: true}}, false, relay.ReasonSGTMStop},
		{"nor the container of a storefront that is off", relay.SGTM, relay.Switches{SGTM: &relay.SGTMSwitch{Active: true}}, false, relay.ReasonStorefrontDisabled},
		{"a platform without a container does", "meta", relay.Switches{Storefront: on, Platforms: meta}, true, ""},
		{"a platform with a container that is off", "meta", relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{}, Platforms: meta}, true, ""},
		{"not with a container that stops", "meta", relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Stop: true}, Platforms: meta}, false, relay.ReasonSGTMStop},
		{"nor behind an active container", "meta", relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Active: true}, Platforms: meta},
			false, relay.ReasonBehindContainer},
		{"behind a container", "meta", relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Active: true, DirectOnExhausted: true},
			Platforms: meta}, true, relay.ReasonBehindContainer},
		{"its own switch takes precedence over the container", "meta", relay.Switches{Storefront: on, SGTM: &relay.SGTMSwitch{Active: true, DirectOnExhausted: true},
			Platforms: []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, HasAdapter: true}}}, false, relay.ReasonCredentialDisabled},
		{"a platform without an adapter", "meta", relay.Switches{Storefront: on,
			Platforms: []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true}}}, false, relay.ReasonNoAdapter},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			receives, reason := ops.DestinationStatus{Place: relay.Place{Destination: tc.destination}, Switches: tc.switches}.Receives()
			require.Equal(t, tc.receives, receives)
			require.Equal(t, tc.reason, reason)
		})
	}
}
