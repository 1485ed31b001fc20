package canonical_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
)

func TestAdIDsAreRecognisedInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gclid", "GCLID", "_gcl_aw", "_gcl_au", "gclsrc", "gbraid", "wbraid", "dclid", "fbclid", "fbc", "_fbc", "fbp", "_fbp", "ttclid",
		"ttp", "_ttp", "ScCid", "sc_click_id", "_scclid", "_scid", "sc_cookie1", "epik", "_epik", "click_id", "msclkid", "li_fat_id", "rdt_cid", "idfa", "madid"} {
		require.True(t, canonical.IsAdID(name), name)
	}
	for _, name := range []string{"", "_ga", "ga_client_id", "session_id", "order_id", "utm_source", "fbx", "email", "client_id", "epic"} {
		require.False(t, canonical.IsAdID(name), name)
	}
}

func TestTextsLoseAdIDsAndNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "gclid": "gclid", "a=b": "a=b", "https://shop.example/?a=1&b=2#c": "https://shop.example/?a=1&b=2#c", "1 = 2 & gclid": "1 = 2 & gclid",
		"https://shop.example/?gclid=X1":                               "https://shop.example/",
		"https://shop.example/?a=1&gclid=X1&b=2":                       "https://shop.example/?a=1&b=2",
		"https://shop.example/?GCLID=X1&fbclid=Y2&a=1#gclid=X1":        "https://shop.example/?a=1",
		"https://shop.example/?gclid=X1#top":                           "https://shop.example/#top",
		"https://x.example/?u=https%3A%2F%2Fy.example%2F%3Fgclid%3DX1": "https://x.example/?u=https%3A%2F%2Fy.example%2F%3F",
		"https://x.example/?u=https%253A%252F%252Fy%253Ffbclid%253DX1": "https://x.example/?u=https%253A%252F%252Fy%253F",
		"_ga=GA1.1.5.6; _fbp=fb.1.1700000000000.123; x=1":              "_ga=GA1.1.5.6; ; x=1",
		"fb.1.1700000000000.AbC":                                       "",
		"gclid=X1":                                                     "",
		"/checkout?ttclid=X1&step=2":                                   "/checkout?step=2",
	} {
		require.Equal(t, want, canonical.WithoutAdIDs(text), text)
	}
}

func TestValuesLoseAdIDsAtAnyDepth(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`1e3`: `1e3`, `80.790`: `80.790`, `null`: `null`, `"\u0061"`: `"\u0061"`, `true`: `true`, ``: ``,
		`{"a":{"fbp":"x","b":[{"gclid":1,"c":1.50}]}}`:             `{"a":{"b":[{"c":1.50}]}}`,
		`[{"name":"_fbp","value":"x"},{"name":"_ga","value":"y"}]`: `[{},{"name":"_ga","value":"y"}]`,
		`"{\"fbp\":\"x\",\"a\":1}"`:                                `"{\"a\":1}"`,
		`["https://x.example/?gclid=1&a=<2>"]`:                     `["https://x.example/?a=<2>"]`,
	} {
		require.Equal(t, want, string(canonical.JSONWithoutAdIDs(json.RawMessage(raw))), raw)
	}
}

func FuzzJSONWithoutAdIDs(f *testing.F) {
	f.Add([]byte(`{"a":[{"name":"_fbp"},"https://x.example/?gclid=1"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			t.Skip()
		}
		once := canonical.JSONWithoutAdIDs(raw)
		require.True(t, json.Valid(once), "%s", once)
	})
}
