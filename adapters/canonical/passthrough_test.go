package canonical_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

func TestAllowAndDenyListsSelectFieldsAndTheirParts(t *testing.T) {
	t.Parallel()
	const payload = `{"a":1.50,"E-Mail":"x","items":[{"sku":"s","qty":1},{"sku":"t"},7],"patient":{"name":"J","id":{"mrn":1,"x":2}},"d.e":5}`
	for _, c := range []struct {
		options relay.Options
		want    string
	}{
		{relay.Options{}, payload},
		{relay.Options{Deny: []string{"email", "items.sku", "patient.id.mrn", "d.e"}}, `{"a":1.50,"items":[{"qty":1},{},7],"patient":{"name":"J","id":{"x":2}}}`},
		{relay.Options{Deny: []string{"items", "patient"}}, `{"a":1.50,"E-Mail":"x","d.e":5}`},
		{relay.Options{Allow: []string{"a", "items.sku", "patient.id"}}, `{"a":1.50,"items":[{"sku":"s"},{"sku":"t"}],"patient":{"id":{"mrn":1,"x":2}}}`},
		{relay.Options{Allow: []string{"a.b", "patient"}, Deny: []string{"patient.name"}}, `{"patient":{"id":{"mrn":1,"x":2}}}`},
	} {
		p, err := relay.ParsePayload([]byte(payload))
		require.NoError(t, err)
		got, err := json.Marshal(canonical.Pass(p, c.options))
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(got))
		require.Contains(t, payload, string(p["items"]), "the payload is the caller's")
	}
	require.True(t, canonical.Denies(relay.Options{Deny: []string{"orderId"}}, "order_id"))
}
