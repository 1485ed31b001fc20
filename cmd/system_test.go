package cmd_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd"
	"relay/internal/relay"
)

func TestSettingsShowValuesAndNoSecret(t *testing.T) {
	t.Parallel()
	c := cmd.Config{Password: relay.NewSecret("hunter2"), PollInterval: time.Second, AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		OutboundProxy: &url.URL{Scheme: "http", User: url.UserPassword("ann", "hunter3"), Host: "proxy:3128", RawQuery: "key=hunter4"}}
	c.URL, c.TaskQueue, c.EncryptionKey = relay.NewSecret("mysql://u:hunter5@h/d"), "relay", relay.NewSecret("hunter6")
	list := cmd.Settings(c)
	text, err := json.Marshal(list)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter")
	require.NotContains(t, string(text), "ann")
	by := map[string]string{}
	for _, s := range list {
		by[s.Name] = s.Value
		if s.Secret {
			require.Empty(t, s.Value, s.Name)
		}
	}
	require.Len(t, by, len(cmd.Variables(cmd.Config{})), "every variable is there once")
	require.Equal(t, "1s", by["POLL_INTERVAL"])
	require.Equal(t, "10.0.0.0/8", by["ALLOWED_PRIVATE_NETS"])
	require.Equal(t, "http://proxy:3128", by["OUTBOUND_PROXY"])
	require.Equal(t, "relay", by["TEMPORAL_TASK_QUEUE"])
}
