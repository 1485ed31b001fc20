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
		"rx—issued", `rx\u005fissued`, `\u0072x_issued`, "rx%u005fissued", `r\x78issued`, "𝐫𝐱_𝐢𝐬𝐬𝐮𝐞𝐝", "ⓡⓧ ⓘⓢⓢⓤⓔⓓ", "ⓇⓍ-ⒾⓈⓈⓊⒺⒹ", "rxıſſued", "𝗥𝗫_𝗜𝗦𝗦𝗨𝗘𝗗", "%" + strings.Repeat("25", 20) + "41"} {
		require.True(t, relay.Reveals(s, "rx_issued"), s)
	}
	for _, s := range []string{"jane@example.com", "jane%40example.com", "jane%2540example.com", "?e=jane&#64;example.com", "jane＠example.com",
		`"jane doe"@example.com`, "jane @ example.com", "jane@ example.com", "jane﹫example.com", "jane@example。com", `jane\u0040example.com`, `jane\x40example.com`,
		"jane%u0040example.com", "jane@भारत.भारत", "jane@[10.0.0.1]", "𝗃𝖺𝗇𝖾@𝖾𝗑𝖺𝗆𝗉𝗅𝖾.𝖼𝗈𝗆"} {
		require.True(t, relay.Reveals(s, ""), s)
	}
	for _, s := range []string{"", "rx", "issued rx", "50%", "100%25", "a+b", "order_123"} {
		require.False(t, relay.Reveals(s, "rx_issued"), s)
	}
	for _, s := range []string{"2 @ 3.50", "@jane", "a @ b", "shop @ the mall. Sale", `\u00`, "%u12"} {
		require.False(t, relay.Reveals(s, ""), s)
	}
	require.False(t, relay.Reveals("anything", "___"), "a name without letters is in no text")
}

func TestAnOwnEventIDIsSentOnlyAsAPlainIdentifier(t *testing.T) {
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

func TestNoEncodingHidesAWord(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"ORD-77", "sess:ORD-77", "/thanks/ORD-77/", "o=ORD%2D77&a=1", "%2FORD-77", "%252FORD-77", "&#79;RD-77", `\u004fRD-77`, "XORD-77 ORD-77"} {
		require.True(t, relay.HoldsWord(s, "ORD-77"), s)
	}
	for _, s := range []string{"", "ORD-778", "XORD-77", "ORD-7", "ord-77", "ORD", "größeORD-77"} {
		require.False(t, relay.HoldsWord(s, "ORD-77"), s)
	}
	require.False(t, relay.HoldsWord("anything", ""))
}

func TestTelephoneNumbersAreRecognisedByTheirForm(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"+14155550132", "call +1 (415) 555-0132 now", "(415) 555-0132", "(415)555-0132", "415-555-0132", "1-415-555-0132", "415.555.0132",
		"jane 415 555 0132", "%2B14155550132", "%2B1%20415%20555%200132", "+44 20 7946 0958", "tel:+4930901820", "＋１４１５５５５０１３２", "078-05-1120", "a=+14155550132&b"} {
		require.True(t, relay.HoldsTelephone(s), s)
	}
	for _, s := range []string{"", "4155550132", "12345678901234567890", "1.5", "+5%", "a+14155550132", "GA1.1.123456789.1768472000", "fb.1.1768472000000.1234567890",
		"2026-11-10T10:25:00+00:00", "ORD-123-456-7890", "192.168.100.1234", "7f3c1b0a-3a37-4a9e-9bb5-2c5c7fbb4a4d", "0093-7146-01", "1768472000",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.7499.1234 Safari/537.36"} {
		require.False(t, relay.HoldsTelephone(s), s)
	}
}
