package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// TestAnItemThatIsTooLargeIsNotKept measures a body of ten megabytes of which nothing may stay in memory.
func TestAnItemThatIsTooLargeIsNotKept(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat(`"a":{"b":[1,2,3]},`, 500_000)
	r := newTest(t)
	a := r.post(t, `{"data":[`+order(1)+`,{"order_id":"77",`+huge+`"event_name":5},`+order(2)+`,{"x":"`+strings.Repeat("y", relay.MaxPayload)+`"}]}`)
	require.Equal(t, 2, a.Accepted, a.text)
	require.Subset(t, brief(a.Errors), []string{"1 77  payload_too_large", "1 77 event_name wrong_type", "3   payload_too_large"})
	for _, row := range r.inbox.rows {
		require.Less(t, cap(row.Payload), relay.MaxPayload)
	}
	border := func(size int) string {
		item := event("x", `""`)
		return event("x", `"`+strings.Repeat("y", size-len(item))+`"`)
	}
	a = newTest(t).items(t, border(relay.MaxPayload), border(relay.MaxPayload+1), event("order_id", `"3"`))
	require.Equal(t, 2, a.Accepted, a.text)
	require.Equal(t, []string{"1 2025020100003333  payload_too_large"}, brief(a.Errors))
}

// TestEveryPayloadIsKeptWhereverItLies moves items of many sizes over the borders of what is read at a time.
func TestEveryPayloadIsKeptWhereverItLies(t *testing.T) {
	t.Parallel()
	var items []string
	for n := range 400 {
		items = append(items, event("order_id", fmt.Sprintf(`"%d"`, n), "x", `"`+strings.Repeat(string(rune('a'+n%26)), (n*977)%relay.MaxPayload*9/10)+`"`))
	}
	r := newTest(t)
	require.Equal(t, len(items), r.items(t, items...).Accepted)
	for n, row := range r.inbox.rows {
		require.Equal(t, items[n], string(row.Payload))
	}
}

// TestWhatIsLeftOutChangesNoVerdict holds long tokens of every kind against encoding/json.
func TestWhatIsLeftOutChangesNoVerdict(t *testing.T) {
	t.Parallel()
	long := func(s string) string { return strings.Repeat(s, 3*relay.MaxPayload/len(s)) }
	// Where such an item ends is unknown, so the whole batch is refused.
	unbounded := map[string]bool{"a string without an end": true, "a string with an escaped end": true, "a cut code": true,
		"white space between digits": true}
	for name, c := range map[string]struct {
		value string
		valid bool
	}{
		"letters":                      {`"` + long("x") + `"`, true},
		"escapes":                      {`"` + long(`\n`) + `"`, true},
		"quotes":                       {`"` + long(`\"`) + `"`, true},
		"backslashes":                  {`"` + long(`\\`) + `"`, true},
		"codes":                        {`"` + long(`\u00e9`) + `"`, true},
		"umlauts":                      {`"` + long("é") + `"`, true},
		"digits":                       {`1` + long("1"), true},
		"a fraction":                   {`1.` + long("1") + `e5`, true},
		"white space":                  {long(" \n") + `1`, true},
		"white space before a digit":   {`[1,` + long(" ") + `2]`, true},
		"white space between digits":   {`[1` + long(" ") + `2]`, false},
		"an unknown escape":            {`"` + long("x") + `\q"`, false},
		"a code that is none":          {`"` + long("x") + `\u00g0"`, false},
		"a cut code":                   {`"` + long("x") + `\u00"`, false},
		"a control character":          {`"` + long("x") + "\x01" + `"`, false},
		"letters after digits":         {long("1") + `x`, false},
		"a string without an end":      {`"` + long("x"), false},
		"a string with an escaped end": {`"` + long("x") + `\"`, false},
		"numbers with zeros before":    {`0` + long("1"), false},
		"many small tokens":            {`[` + long(`{"a":[1,"b"]},`) + `1]`, true},
		"a name":                       {`{"` + long("n") + `":1}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"data":[` + order(1) + `,{"order_id":"2","x":` + c.value + `},` + order(3) + `]}`
			require.Equal(t, c.valid, json.Valid([]byte(body)))
			r := newTest(t)
			a := r.post(t, body)
			if unbounded[name] {
				require.Equal(t, "malformed_json", a.Code, a.text)
				require.Greater(t, *a.Offset, int64(3*relay.MaxPayload-100), "offsets are those of the body that was sent")
				require.LessOrEqual(t, *a.Offset, int64(len(body)))
				return
			}
			if !c.valid {
				require.Equal(t, 2, a.Accepted, a.text)
				require.Contains(t, brief(a.Errors), "1   invalid_json")
				require.Equal(t, order(3), string(r.inbox.rows[1].Payload))
				return
			}
			require.Equal(t, 2, a.Accepted, a.text)
			require.Contains(t, brief(a.Errors), "1 2  payload_too_large")
			require.Equal(t, order(3), string(r.inbox.rows[1].Payload))

			a = newTest(t).post(t, `{"next_url":`+c.value+`,"data":[`+order(1)+`,`+c.value+`]}`)
			require.Equal(t, 1, a.Accepted, a.text)
		})
	}
}
