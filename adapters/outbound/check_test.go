package outbound_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
)

func TestCheckAcceptsOnlyAddressesThatTheClientWouldDial(t *testing.T) {
	t.Parallel()
	private := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for raw, ok := range map[string]bool{
		"https://tags.example.com":       true,
		"https://tags.example.com/path":  true,
		"https://8.8.8.8":                true,
		"https://10.1.2.3":               true,
		"https://10.2.2.3":               false,
		"https://[::ffff:169.254.1.1]":   false,
		"http://10.1.2.3:8080":           true,
		"http://localhost:8080":          true,
		"http://8.8.8.8":                 false,
		"http://does-not-exist.invalid":  false,
		"https://user:pw@example.com":    false,
		"ftp://example.com":              false,
		"example.com":                    false,
		"/path":                          false,
		"https://":                       false,
		"https:tags.example.com":         false,
		"javascript:alert(1)":            false,
		"https://exa mple.com":           false,
		"https://example.com:port":       false,
		"https://example.com:0":          false,
		"https://example.com:99999":      false,
		"https://example..com":           false,
		"https://0x7f.1":                 false,
		"https://example.com/>":          false,
		"http://metadata.google.invalid": false,
	} {
		err := outbound.CheckURL(t.Context(), raw, private)
		require.Equal(t, ok, err == nil, "%s: %v", raw, err)
		if err != nil {
			require.NotContains(t, err.Error(), "example")
		}
	}
	require.Error(t, outbound.CheckURL(t.Context(), "http://localhost:8080", nil))
}
