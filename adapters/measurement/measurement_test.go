package measurement_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/measurement"
	"relay/internal/relay"
)

func TestNameFitsGA4(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"utm_source": "utm_source", "t-value": "t_value", "a.b c/d": "a_b_c_d", "größe": "gr__e", "名": "ev__", "": "ev_", "1st": "ev_1st",
		"_x": "ev__x", "ga_x": "ev_ga_x", "google_x": "ev_google_x", "firebase_x": "ev_firebase_x", "gaga": "gaga", "\xff": "ev__",
		strings.Repeat("a", 40): strings.Repeat("a", 40), strings.Repeat("a", 41): strings.Repeat("a", 40),
		strings.Repeat("1", 60): "ev_" + strings.Repeat("1", 37),
	} {
		require.Equal(t, want, measurement.Name(raw))
		require.LessOrEqual(t, len(measurement.Name(raw)), measurement.MaxName)
		require.Equal(t, want, measurement.Name(want), "and stays as it is")
	}
}

func TestEventNamesReservedByGA4ArePrefixed(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"purchase": "purchase", "rx_issued": "rx_issued", "session_start": "ev_session_start", "error": "ev_error", "first-visit": "ev_first_visit",
		"app_store_subscription_convert": "ev_app_store_subscription_convert", "errors": "errors",
	} {
		require.Equal(t, want, measurement.EventName(raw))
		require.LessOrEqual(t, len(want), measurement.MaxName)
	}
	require.Equal(t, "error", measurement.Name("error"), "a parameter may be called so")
}

func TestClientIDIsTheBrowsersThenTheSessionsThenTheOrders(t *testing.T) {
	t.Parallel()
	e := relay.Event{EventID: "o_1", Storefront: relay.Storefront{Code: "bosley"}}
	of := func(text string) string {
		p, err := relay.ParsePayload([]byte(text))
		require.NoError(t, err)
		return measurement.ClientID(e, p)
	}
	require.Equal(t, "5.6", of(`{"ga_client_id":"GA1.2.5.6","session_id":"s"}`))
	require.Equal(t, "5.6", of(`{"ga_client_id":"5.6","session_id":"s"}`))
	require.Equal(t, "a.b.c", of(`{"ga_client_id":"a.b.c"}`), "only the cookie has a prefix")
	require.Equal(t, "s", of(`{"ga_client_id":null,"session_id":"s"}`))
	made := of(`{}`)
	require.Len(t, made, 32)
	require.Equal(t, made, of(`{"session_id":"","ga_client_id":[]}`))
	e.EventID = "o_2"
	require.NotEqual(t, made, of(`{}`))
}
