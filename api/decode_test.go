package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

// FuzzItemsAreKeptOrNamed holds our decoder against encoding/json: they agree on what JSON is, and each item is stored
// with the bytes that were sent or named in an error.
func FuzzItemsAreKeptOrNamed(f *testing.F) {
	for _, s := range []string{"", "1", `{}`, event(), event() + "," + event("order_id", "1"), event("order_id", `"\ud800"`),
		event("note", "\"\xff\""), event("order_revenue", `"1e5"`), ` { "order_id" : 5 } , null`, event() + `],"data":[` + event(),
		event("event_time", `"2026-01-15T10:25:00"`), event() + ",{\"a\":NaN}," + event("order_id", "1"), "\ufeff" + event() + ",{\"a\":\"5\" x\"}", `{"a":"\u0000"}`, `[[[[]]]]`, `{"a":1,"a":2}`, "{\"a\":\"\x00\"}", event() + "]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, items string) {
		r := newTest(t)
		body := `{"data":[` + items + `]}`
		a := r.post(t, body)
		if a.Code == "repeated_field" || a.Code == "too_many_items" { // said before the rest is read
			return
		}
		var envelope map[string]json.RawMessage
		var want []json.RawMessage
		valid := json.Unmarshal([]byte(body), &envelope) == nil
		if !valid { // it costs an item, or the batch
			require.True(t, a.Code == "malformed_json" || slices.ContainsFunc(a.Errors, isInvalidJSON), a.text)
			for _, e := range r.inbox.rows {
				_, err := relay.ParsePayload(e.Payload)
				require.NoError(t, err)
				require.Contains(t, items, string(e.Payload))
			}
			return
		}
		require.NotEqual(t, "malformed_json", a.Code, a.text)
		require.False(t, slices.ContainsFunc(a.Errors, isInvalidJSON), a.text)
		require.NoError(t, json.Unmarshal(envelope["data"], &want))
		require.Equal(t, len(want), a.Accepted+a.Duplicates+a.Rejected)
		named := map[int]bool{}
		for _, e := range a.Errors {
			require.NotEmpty(t, e.Code)
			named[*e.Index] = true
		}
		kept := map[string]bool{}
		for _, e := range r.inbox.rows {
			kept[string(e.Payload)] = true
			p, err := relay.ParsePayload(e.Payload)
			require.NoError(t, err)
			require.Equal(t, e.OrderID, p.Text("order_id"))
			require.NotEmpty(t, e.EventID)
			require.NotContains(t, e.EventID, "\x00")
		}
		for i, w := range want {
			require.True(t, named[i] || kept[string(w)], "item %d is neither named nor kept", i)
		}
	})
}

func isInvalidJSON(n note) bool { return n.Code == "invalid_json" }

func batch(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"count":%d,"data":[`, n)
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"t-value":"bosleyaffiliate_0123","storefront_id":"bosley","event_name":"purchase_completed",`+
			`"event_time":"2026-01-15T10:25:00Z","order_id":"20250201%08d","order_created_date":"2026-01-15T10:25:00Z",`+
			`"order_ship_date":"2026-01-15T10:25:00Z","order_revenue":80.79,"session_id":"sess_%d","utm_source":"google",`+
			`"utm_medium":"organic","utm_campaign":"bosley_q1","email":"someone%d@example.com",`+
			`"page_url":"https://www.bosley.example/checkout/thank-you?step=4","client_ip":"203.0.113.7"}`, i, i, i)
	}
	b.WriteString(`],"error":"","next_index":1000,"next_url":"","previous_index":"","previous_url":""}`)
	return b.String()
}

// BenchmarkBatchOf4000 is a whole request without a database: login, decoding, checking, digests, answer. Beside it is
// what encoding/json takes for the same body, into structs, and with the items' bytes kept as well.
func BenchmarkBatchOf4000(b *testing.B) {
	body := []byte(batch(4000))
	b.Run("request", func(b *testing.B) {
		r := newTest(b, func(_ *api.Config, r *relayed) { r.inbox.discard = true })
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if w := r.do(request(bytes.NewReader(body))); w.Code != http.StatusAccepted {
				b.Fatal(w.Body)
			}
		}
	})
	type typed struct {
		TValue     string      `json:"t-value"`
		Storefront string      `json:"storefront_id"`
		Name       string      `json:"event_name"`
		Time       string      `json:"event_time"`
		Order      string      `json:"order_id"`
		Revenue    json.Number `json:"order_revenue"`
	}
	b.Run("encoding/json into structs", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v struct{ Data []typed }
			require.NoError(b, json.Unmarshal(body, &v))
		}
	})
	b.Run("encoding/json with bytes kept", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v struct{ Data []json.RawMessage }
			require.NoError(b, json.Unmarshal(body, &v))
			for _, d := range v.Data {
				var item typed
				require.NoError(b, json.Unmarshal(d, &item))
			}
		}
	})
}
