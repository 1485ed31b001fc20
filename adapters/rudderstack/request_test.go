package rudderstack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/rudderstack"
	"relay/adapters/tracking"
	"relay/internal/relay"
)

func TestTheHostIsAName(t *testing.T) {
	t.Parallel()
	for host, ok := range map[string]bool{
		"bosley.dataplane.rudderstack.com": true, "rudder.bosley.example:8080": true, "A-1.example": true,
		"": false, "localhost": false, "https://rudder.example": false, "rudder.example/v1": false, "user@rudder.example": false, "rudder..example": false,
		"-rudder.example": false, "rudder.example:port": false, "rudder.example?a=b": false, "rudder.example#a": false, "rudder .example": false,
	} {
		err := rudderstack.Adapter{}.Check(relay.Destination{Settings: map[string]string{rudderstack.SettingHost: host},
			Secrets: map[string]relay.Secret{tracking.SecretWriteKey: relay.NewSecret("write-key")}})
		if ok {
			require.NoError(t, err, host)
			continue
		}
		require.ErrorContains(t, err, rudderstack.SettingHost+": ", host)
	}
}
