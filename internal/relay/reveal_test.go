package relay_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestNoSpellingHidesANameOrAMailAddress(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"rx_issued", "RX-Issued", "/rx/issued", "https://shop.example/rx/issued/", "RX%5Fissued", "RX%255Fissued", "rx+issued",
		"rx%2Bissued", "rx%20issued", "r%78issued", "rx&#95;issued", "rx&amp;#95;issued", "rx\u200b_issued", "ｒｘ＿ｉｓｓｕｅｄ", "order:rx.issued:7",
		"rx—issued", "%" + strings.Repeat("25", 20) + "41"} {
		require.True(t, relay.Reveals(s, "rx_issued"), s)
	}
	for _, s := range []string{"jane@example.com", "jane%40example.com", "jane%2540example.com", "?e=jane&#64;example.com", "jane＠example.com"} {
		require.True(t, relay.Reveals(s, ""), s)
	}
	for _, s := range []string{"", "rx", "issued rx", "50%", "100%25", "a+b", "order_123"} {
		require.False(t, relay.Reveals(s, "rx_issued"), s)
	}
	require.False(t, relay.Reveals("anything", "___"), "a name without letters is in no text")
}

func TestAnOwnEventIDLeavesOnlyAsAPlainIdentifier(t *testing.T) {
	t.Parallel()
	e := relay.Event{EventID: "order_1", Type: "rx_issued", Storefront: relay.Storefront{Code: "bosley", SendsPayloadEventID: true}}
	id := func(text, name string) string {
		p, err := relay.ParsePayload([]byte(`{"event_id":` + text + `}`))
		require.NoError(t, err)
		e.Payload = p
		return e.VendorID(name)
	}
	hash := e.HashedID()
	for _, own := range []string{"pixel-77", "order_1", "a.b:c", "7f3c1b0a-3a37-4a9e-9bb5-2c5c7fbb4a4d"} {
		require.Equal(t, own, id(`"`+own+`"`, "Lead"))
		require.Equal(t, own, e.DedupID())
	}
	for _, own := range []string{"order_1:rx_issued", "RX-Issued-1", "rxissued", "rx.issued"} {
		require.Equal(t, hash, id(`"`+own+`"`, "Lead"), own)
		require.Equal(t, own, id(`"`+own+`"`, "RX_issued"), "the vendor knows the name")
	}
	for _, own := range []string{`"jane@example.com"`, `"jane%40example.com"`, `"/thanks/rx"`, `"two words"`, `"undefined"`, `"0"`, `"{}"`, `{}`, `""`,
		`"` + strings.Repeat("a1", 51) + `"`, `"größe"`} {
		require.Equal(t, hash, id(own, "rx_issued"), own)
		require.Equal(t, hash, e.DedupID(), own)
	}
	e.Storefront.SendsPayloadEventID = false
	require.Equal(t, hash, id(`"pixel-77"`, "Lead"))
}
