package ops_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAPersonIsFoundInEveryFieldOfAPayload(t *testing.T) {
	t.Parallel()
	for payload, found := range map[string]bool{
		`{"external_id":"patient-7"}`:                                                    true,
		`{"external_id":" PATIENT-7 "}`:                                                  true,
		`{"customerId":"patient-7"}`:                                                     true,
		`{"external_id":"\u0070atient-7"}`:                                               true,
		`{"user_data":{"external_id":["x","patient-7"]}}`:                                true,
		`{"customer":{"profile":{"user-id":"patient-7"}}}`:                               true,
		`{"customers":[{"customer_id":"patient-7"}]}`:                                    true,
		`{"external_id":"` + strings.ToUpper(ops.ExternalIDForms("patient-7")[1]) + `"}`: true,
		`{"external_id":"patient-7",`:                                                    true,
		`{"external_id":"patient-7`:                                                      false,
		`{"external_id":"patient-77"}`:                                                   false,
		`{"external_id":{"of":"patient-7"}}`:                                             false,
		`{"items":[{"external_id":"patient-7"}]}`:                                        false,
		`{"order_id":"patient-7"}`:                                                       false,
		`{"user":"patient-7"}`:                                                           false,
		`["patient-7"]`:                                                                  false,
		`{}`:                                                                             false,
		``:                                                                               false,
	} {
		require.Equal(t, found, ops.HasExternalID([]byte(payload), " Patient-7"), payload)
	}
	require.True(t, ops.HasExternalID([]byte(`{"user_id":4711}`), "4711"))
	require.False(t, ops.HasExternalID([]byte(`{"user_id":47110}`), "4711"))
}

func TestAnErasedIDIsTheSameForTheSameIDAndFitsItsColumn(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(ops.Erased(strings.Repeat("ä", relay.MaxEventID))), relay.MaxEventID)
	require.Equal(t, ops.Erased("4711"), ops.Erased("4711  "))
	require.NotEqual(t, ops.Erased("4711"), ops.Erased(" 4711"))
}
