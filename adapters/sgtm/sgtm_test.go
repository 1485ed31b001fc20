package sgtm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay"
	"relay/adapters/adaptertest"
	"relay/adapters/sgtm"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	adaptertest.Golden(t, sgtm.Adapter{})
}

// GA4 takes less than 130 kB, and a payload has at most 64 KiB.
func TestLongValuesLeaveWholeWithinGA4sLimit(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"utm_content", "page_location", "order_id", "t-value", "note", strings.Repeat("n", 200)} {
		long := strings.Repeat("ü", (relay.MaxPayload-300)/2)
		p, err := relay.ParsePayload([]byte(`{"` + field + `":"` + long + `"}`))
		require.NoError(t, err)
		for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
			r, err := sgtm.Adapter{}.Request(container(set(sgtm.SettingClientType, client)), relay.Event{EventID: "o_1", Source: relay.SourceAPI, Payload: p})
			require.NoError(t, err)
			require.True(t, json.Valid(r.Body))
			require.Contains(t, string(r.Body), long, field)
			require.Less(t, len(r.Body), 130_000, field)
		}
	}
}
