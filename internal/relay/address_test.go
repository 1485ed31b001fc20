package relay_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestValidAddressesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"https://tags.example.com", "https://tags.example.com/", "https://tags.example.com./gtm", "https://tags.example.com:8443/a/b", "https://a",
		"http://localhost:1", "http://gtm_server:65535", "https://10.0.0.5", "https://[2001:db8::1]:8443", "https://[::1]", "http://127.0.0.1:80",
		"HTTPS://Tags.Example.COM", "https://tägs.example", "https://xn--tgs-qla.example", "https://4.example", "https://1.0x7g", "https://3com",
		"https://tags.example.com/ä?x=1#y", "https://" + strings.Repeat("a", 63) + ".example",
	} {
		u, err := relay.ParseAddress(raw)
		require.NoError(t, err, raw)
		require.NotEmpty(t, u.Hostname())
	}
}

func TestInvalidAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "tags.example.com", "//tags.example.com", "/gtm", "https:tags.example.com", "https://", "https:///gtm", "ftp://tags.example.com",
		"https://s3cret@tags.example.com", "https://s3cret:s3cret@tags.example.com",
		"https://tags.example.com:0", "https://tags.example.com:00", "https://tags.example.com:65536", "https://tags.example.com:99999",
		"https://tags.example.com:", "https://tags.example.com:-1", "https://tags.example.com:http", "https://tags.example.com:443:443",
		"https://[2001:db8::1]:0", "https://:443", "https://.", "https://..", "https://.example.com", "https://tags..example.com", "https://tags.example.com..",
		"https://1", "http://0", "https://2130706433", "https://0x7f.1", "https://0x7f000001", "https://0x", "https://127.1", "https://1.2.3", "https://1.2.3.4.5",
		"https://256.1.1.1", "https://0177.0.0.1", "https://tags.example.1", "https://1.", "https://127.0.0.1.",
		"https://tags.example.com;", "https://tags.example.com,", "https://tags.example.com)", "https://tags.example.com'", "https://tags.example.com!/x",
		"https://tags.example.com ", "https://tags.example.com/ x", "https://tags.example.com/>", "https://tags.example.com/\"", "https://tags.example.com\\x",
		"https://tags.example.com/{id}", "https://tags.example.com/a|b", "https://tags.example.com/`", "https://tags.example.com/\n", "https://tags.example.com\x00",
		"https://tags.example.com/%zz", "https://-tags.example.com", "https://tags-.example.com", "https://*.example.com", "https://tags.example.com*",
		"https://tags。example。com", "https://１", "https://[::1", "https://[1]", "https://[tags.example.com]", "https://::1",
		"https://" + strings.Repeat("a", 64) + ".example", "https://" + strings.Repeat("a.", 130) + "example", "https://tags.exa%mple.com", "https://https://tags.example.com",
	} {
		_, err := relay.ParseAddress(raw)
		require.Error(t, err, raw)
		require.NotContains(t, err.Error(), "tags")
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, raw := range []string{"https://tags.example.com:443/x", "http://[::1]:1", "https://0x7f.1", "https://a%41"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := relay.ParseAddress(raw)
		if err != nil {
			return
		}
		require.NotEmpty(t, u.Hostname())
		require.Nil(t, u.User)
		again, err := relay.ParseAddress(u.String())
		require.NoError(t, err, "%q became %q", raw, u)
		require.Equal(t, u.Host, again.Host)
	})
}
