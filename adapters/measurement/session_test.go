package measurement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// direct builds as GA4 itself is sent to.
func direct(t *testing.T, e relay.Event, o relay.Options) (measurement.Body, *canonical.Fields) {
	t.Helper()
	d := relay.Destination{Options: o, Settings: map[string]string{"measurement_id": "G-BOSLEY1"}}
	f, err := canonical.Open(d, e, canonical.Rules{Names: measurement.Names, Consent: canonical.Consent.Analytics, Restricts: true})
	require.NoError(t, err)
	b, err := measurement.Build(f, d, e, nil)
	require.NoError(t, err)
	return b, f
}

func TestSessionsAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"ga_session_id":1790000001}`:                                                  `"1790000001"`,
		`{"ga_session_id":"1790000001","session_id":"1790000002"}`:                      `"1790000001"`,
		`{"session_id":"1790000002"}`:                                                   `"1790000002"`,
		`{"_ga_BOSLEY1":"GS1.1.1790000003.5.1.1790000100.60.0.0"}`:                      `"1790000003"`,
		`{"_ga_BOSLEY1":"GS2.1.s1790000004$o5$g1$t1790000100$j60$l0$h0"}`:               `"1790000004"`,
		`{"_ga_BOSLEY1":"GS2.1.s1790000004%24o5%24g1"}`:                                 `"1790000004"`,
		`{"_ga_BOSLEY1":"GS2.1.o5$s1790000004$g1"}`:                                     `"1790000004"`,
		`{"_ga_OTHER":"GS1.1.1790000005.1.1.1790000100"}`:                               `"1790000005"`,
		`{"_ga_OTHER":"GS1.1.1790000005.1","_ga_BOSLEY1":"GS1.1.1790000006.1"}`:         `"1790000006"`,
		`{"_ga_OTHER":"GS1.1.1790000005.1","_ga_THIRD":"GS1.1.1790000006.1"}`:           ``,
		`{"ga_session_id":"GS1.1.1790000007.1","session_id":"s_1"}`:                     `"1790000007"`,
		`{"ga_session_id":"undefined","_ga_BOSLEY1":"null","session_id":"1790000008"}`:  `"1790000008"`,
		`{"session_id":"s_1","_ga":"GA1.1.12.34","_ga_BOSLEY1":"GS3.1.1790000003"}`:     ``,
		`{"session_id":"0000000000","ga_session_id":"1111111111","gaSessionId":"none"}`: ``,
	} {
		for name, build := range map[string]func(*testing.T, relay.Event, relay.Options) (measurement.Body, *canonical.Fields){"direct": direct, "container": container} {
			b, f := build(t, event(t, payload), relay.Options{Identifiers: canonical.Hashed})
			require.Equal(t, want, string(b.Events[0].Params["session_id"]), name+payload)
			if want == "" {
				require.Contains(t, f.Warnings[0]+f.Warnings[len(f.Warnings)-1], "unassigned")
			}
		}
	}
	b, f := direct(t, event(t, `{"ga_session_id":"1790000001"}`), relay.Options{})
	require.Nil(t, b.Events[0].Params["session_id"])
	require.Contains(t, f.Warnings[len(f.Warnings)-1], "options.identifiers")
}

func TestDifferentBrowsersHaveDifferentClientIDs(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"ga_client_id":"12.34"}`: "12.34", `{"ga_client_id":"GA1.2.12.34"}`: "12.34", `{"_ga":"GA1.1.12.34"}`: "12.34", `{"_ga":"GA1.2-2.12.34"}`: "12.34",
		`{"ga_client_id":"undefined","_ga":"GA1.1.56.78"}`: "56.78", `{"ga_client_id":"(not set)","session_id":"s_9"}`: "s_9",
	} {
		e := event(t, payload)
		b, _ := direct(t, e, relay.Options{Identifiers: canonical.Hashed})
		require.Equal(t, want, b.ClientID, payload)
		require.Equal(t, want, measurement.ClientID(e, e.Payload), payload)
	}
	made := map[string]bool{}
	for i, payload := range []string{
		`{"session_id":"undefined"}`, `{"session_id":"null","ga_client_id":"GA1.1.undefined"}`, `{"session_id":"(not set)"}`, `{"session_id":"0000"}`,
		`{"session_id":"anonymous","order_id":"undefined"}`, `{"session_id":"guest","order_id":"n/a"}`, `{"ga_client_id":"GS1.1.1790000003.5"}`,
	} {
		e := event(t, payload)
		e.EventID = "order_" + string(rune('a'+i))
		b, _ := direct(t, e, relay.Options{Identifiers: canonical.Hashed})
		again, _ := direct(t, e, relay.Options{Identifiers: canonical.Hashed})
		require.Equal(t, b.ClientID, again.ClientID)
		require.Len(t, b.ClientID, 32, payload)
		require.False(t, made[b.ClientID], payload)
		require.Equal(t, b.ClientID, measurement.ClientID(e, e.Payload))
		made[b.ClientID] = true
	}
}
