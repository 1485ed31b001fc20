package relay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestPlaceholderRecognisesPlaceholders(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"undefined", "UNDEFINED ", "null", "(null)", "None", "n/a", "N.A.", "#N/A", "(not set)", "not set", "not_provided",
		"anonymous", "Guest", "guest-user", "unknown", "test", "0", "000", "0000000000", "00000000-0000-0000-0000-000000000000", "1111", "9999999999",
		"ffffffff-ffff-ffff-ffff-ffffffffffff", "12345", "1234567890", "0123456789", "9876543210", "123-456-7890", "-", "--", "?", "[object Object]",
		"NaN", "xxxxxxxx", "xxx", "no value", "{{session_id}}", "{{ user.id }}", "${sid}", "{client_id}", "%%CLICKID%%", "%CLICKID%", "__CLICKID__",
		"[click_id]", "<session id>", "%7B%7Bgclid%7D%7D", "undefined|null", "null,null", "null%2Cnull", "undefined%20", "ｎｕｌｌ", "NaN.NaN",
		"undefined.1700000000", "undefined-undefined-undefined", "session_id"} {
		require.True(t, relay.Placeholder(s), s)
	}
	for _, s := range []string{"", " ", "7", "42", "111", "1234", "cust_77", "guest_8f3a", "anonymous-8f3a", "testament", "nullarbor", "4155550132",
		"1358024679", "undefined-8f3a", "none of them", "[AbC7]", "{7}x", "a%41b", "GA1.2.5.6", "fb.1.1768472000000.17", "李李李李", "AbC", "1234567800"} {
		require.False(t, relay.Placeholder(s), s)
	}
}
