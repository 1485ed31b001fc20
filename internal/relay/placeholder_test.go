package relay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestPlaceholdersStandForNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"undefined", "UNDEFINED ", "null", "(null)", "None", "n/a", "N.A.", "#N/A", "(not set)", "not set", "not_provided",
		"anonymous", "Guest", "guest-user", "unknown", "test", "0", "000", "0000000000", "00000000-0000-0000-0000-000000000000", "1111", "9999999999",
		"ffffffff-ffff-ffff-ffff-ffffffffffff", "12345", "1234567890", "0123456789", "9876543210", "123-456-7890", "-", "--", "?", "[object Object]",
		"NaN", "xxxxxxxx"} {
		require.True(t, relay.Placeholder(s), s)
	}
	for _, s := range []string{"", " ", "7", "42", "111", "1234", "cust_77", "guest_8f3a", "anonymous-8f3a", "testament", "nullarbor", "4155550132",
		"1358024679", "李李李李", "AbC", "1234567800"} {
		require.False(t, relay.Placeholder(s), s)
	}
}
