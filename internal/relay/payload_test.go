package relay_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func payload(t *testing.T, text string) relay.Payload {
	t.Helper()
	p, err := relay.ParsePayload([]byte(text))
	require.NoError(t, err)
	return p
}

func TestPayloadKeepsNumbersAsWritten(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"80.79", "1e3", "1E+3", "12345678901234567890", "0", "-0", "-80.790", "0.1000000000000000055511151231257827", "1e999999"} {
		p := payload(t, `{"bare": `+n+` , "quoted": " `+n+` "}`)
		require.Equal(t, n, string(p["bare"]))
		require.Equal(t, json.Number(n), p.Number("bare"))
		require.Equal(t, json.Number(n), p.Number("quoted"), "a numeric string is a number")
		require.Equal(t, n, p.Text("bare"))
		b, err := json.Marshal(p["bare"])
		require.NoError(t, err)
		require.Equal(t, n, string(b))
	}
}

func TestPayloadNumberIsEmptyUnlessTheValueIsAJSONNumber(t *testing.T) {
	t.Parallel()
	for _, v := range []string{`"80,79"`, `"$80"`, `"NaN"`, `"Infinity"`, `"0x10"`, `"1_000"`, `"+1"`, `".5"`, `"5."`, `"01"`, `"-"`, `"1e"`, `""`, `" "`,
		`"1 2"`, `"1\u0000"`, `null`, `true`, `{}`, `[1]`} {
		require.Empty(t, payload(t, `{"x":`+v+`}`).Number("x"), v)
	}
	require.Empty(t, relay.Payload(nil).Number("x"))
}

func TestPayloadTextReadsStringsAndNumbersOnly(t *testing.T) {
	t.Parallel()
	p := payload(t, `{"s":" \u00e4 b\t","n":7,"null":null,"t":true,"o":{"a":1},"a":["x"],"half":"\ud800x"}`)
	require.Equal(t, "ä b", p.Text("s"))
	require.Equal(t, "7", p.Text("n"))
	require.Equal(t, "\ufffdx", p.Text("half"))
	for _, k := range []string{"null", "t", "o", "a", "absent"} {
		require.Empty(t, p.Text(k), k)
	}
	require.Equal(t, "7", p.First("absent", "null", "n", "s"))
	require.Empty(t, p.First("absent", "null"))
	require.Empty(t, relay.Payload(nil).First("s"))
}

func TestParsePayloadRefusesAllButObjects(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " ", "null", "[]", `"x"`, "1", "true", "{", `{"a":}`, `{"a":1}{}`, `{"a":1,}`, "{'a':1}",
		"{\"a\":\"\xff\"}", "{\"\xc3\x28\":1}", "{\"a\":\"\xed\xa0\x80\"}"} {
		p, err := relay.ParsePayload([]byte(text))
		require.Error(t, err, text)
		require.NotEmpty(t, err.Error(), text)
		require.Nil(t, p, text)
	}
}

func TestParsePayloadTakesTheLastOfARepeatedKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2", payload(t, `{"a":1,"A":3,"a":2}`).Text("a"), "and keys have case")
	require.Empty(t, payload(t, ` {} `))
	require.NotNil(t, payload(t, ` {} `))
}
