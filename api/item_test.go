package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestItemIsRejected(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 101)
	const id = "2025020100003333"
	for name, c := range map[string]struct {
		item string
		want []string
	}{
		"storefront_id missing": {event("storefront_id", ""), []string{id + " storefront_id missing_field"}},
		"event_name missing":    {event("event_name", ""), []string{id + " event_name missing_field"}},
		"event_time missing":    {event("event_time", ""), []string{id + " event_time missing_field"}},
		"order_id missing":      {event("order_id", ""), []string{" order_id missing_field"}},
		"order_id null":         {event("order_id", "null"), []string{" order_id missing_field"}},
		"order_id blank":        {event("order_id", `" \t"`), []string{" order_id missing_field"}},
		"order_id missing beside an event_id": {event("order_id", "", "event_id", `"e1"`),
			[]string{"e1 order_id missing_field"}},
		"everything missing": {`{}`, []string{" storefront_id missing_field",
			" event_name missing_field", " event_time missing_field", " order_id missing_field"}},
		"order_id an object":           {event("order_id", `{"a":1}`), []string{" order_id wrong_type"}},
		"order_id a list":              {event("order_id", `["a"]`), []string{" order_id wrong_type"}},
		"order_id a bool":              {event("order_id", `true`), []string{" order_id wrong_type"}},
		"order_id a fraction":          {event("order_id", `1.5`), []string{" order_id wrong_type"}},
		"order_id an exponent":         {event("order_id", `1e3`), []string{" order_id wrong_type"}},
		"order_id negative":            {event("order_id", `-1`), []string{" order_id wrong_type"}},
		"event_id a bool":              {event("event_id", `false`), []string{" event_id wrong_type"}},
		"event_time a number":          {event("event_time", `1768472700`), []string{id + " event_time wrong_type"}},
		"event_name a number":          {event("event_name", `5`), []string{id + " event_name wrong_type"}},
		"storefront_id a number":       {event("storefront_id", `5`), []string{id + " storefront_id wrong_type"}},
		"t-value an object":            {event("t-value", `{}`), []string{id + " t-value wrong_type"}},
		"unknown storefront":           {event("storefront_id", `"nobody"`), []string{id + " storefront_id unknown_storefront"}},
		"storefront in another case":   {event("storefront_id", `"Bosley"`), []string{id + " storefront_id unknown_storefront"}},
		"time without a date":          {event("event_time", `"10:15:00Z"`), []string{id + " event_time invalid_time"}},
		"time with a blank":            {event("event_time", `"2026-01-15 10:15:00"`), []string{id + " event_time invalid_time"}},
		"time of the 30th February":    {event("event_time", `"2026-02-30T10:15:00Z"`), []string{id + " event_time invalid_time"}},
		"revenue in words":             {event("order_revenue", `"eighty"`), []string{id + " order_revenue not_a_number"}},
		"revenue with a currency":      {event("order_revenue", `"$80.79"`), []string{id + " order_revenue not_a_number"}},
		"revenue with a comma":         {event("order_revenue", `"1,080.79"`), []string{id + " order_revenue not_a_number"}},
		"revenue with leading zeros":   {event("order_revenue", `"080"`), []string{id + " order_revenue not_a_number"}},
		"revenue NaN":                  {event("order_revenue", `"NaN"`), []string{id + " order_revenue not_a_number"}},
		"revenue infinite":             {event("order_revenue", `"Infinity"`), []string{id + " order_revenue not_a_number"}},
		"revenue beyond a float":       {event("order_revenue", `1e999`), []string{id + " order_revenue not_a_number"}},
		"revenue negative":             {event("order_revenue", `-0.01`), []string{id + " order_revenue not_a_number"}},
		"revenue negative text":        {event("order_revenue", `"-0.01"`), []string{id + " order_revenue not_a_number"}},
		"revenue null in quotes":       {event("order_revenue", `"null"`), []string{id + " order_revenue not_a_number"}},
		"revenue a list":               {event("order_revenue", `[1]`), []string{id + " order_revenue not_a_number"}},
		"revenue a bool":               {event("order_revenue", `true`), []string{id + " order_revenue not_a_number"}},
		"order_id too long":            {event("order_id", `"`+long+`"`), []string{" order_id field_too_long"}},
		"event_id too long":            {event("event_id", `"`+long+`"`), []string{" event_id field_too_long"}},
		"event_name too long":          {event("event_name", `"`+long[:51]+`"`), []string{id + " event_name field_too_long"}},
		"storefront_id too long":       {event("storefront_id", `"`+long[:51]+`"`), []string{id + " storefront_id field_too_long"}},
		"NUL in the order_id":          {event("order_id", `"a\u0000b"`), []string{" order_id invalid_character"}},
		"half a character":             {event("event_id", `"a\ud800"`), []string{" event_id invalid_character"}},
		"line break in the name":       {event("event_name", `"a\nb"`), []string{id + " event_name invalid_character"}},
		"payload too large":            {event("note", `"`+strings.Repeat("x", 65535)+`"`), []string{id + "  payload_too_large"}},
		"not an object":                {`"text"`, []string{"  invalid_item"}},
		"null":                         {`null`, []string{"  invalid_item"}},
		"a list":                       {`[{}]`, []string{"  invalid_item"}},
		"invalid UTF-8 in a value":     {event("note", "\"caf\xe9\""), []string{"  invalid_utf8"}},
		"invalid UTF-8 in an id":       {event("order_id", "\"caf\xe9\""), []string{"  invalid_utf8"}},
		"invalid UTF-8 in a name":      {`{"caf` + "\xe9" + `":1}`, []string{"  invalid_utf8"}},
		"half a character elsewhere":   {event("note", `{"a":["x\udc00"]}`), []string{id + "  invalid_character"}},
		"half a character in a name":   {strings.Replace(event("nnn", "1"), "nnn", `n\ud83d\u0041`, 1), []string{id + "  invalid_character"}},
		"NaN":                          {event("order_revenue", `NaN`), []string{"  invalid_json"}},
		"minus Infinity":               {event("note", `{"a":[-Infinity , undefined]}`), []string{"  invalid_json"}},
		"a word of Python's":           {event("note", `None`), []string{"  invalid_json"}},
		"a number with a leading zero": {event("note", `007`), []string{"  invalid_json"}},
		"a raw line break":             {event("note", "\"a\n,]}b\""), []string{"  invalid_json"}},
		"an unknown escape":            {event("note", `"a\x41\"]}"`), []string{"  invalid_json"}},
		"a comma at the end":           {event("note", `[1,]`), []string{"  invalid_json"}},
		"a name without quotes":        {`{note:1,` + event()[1:], []string{"  invalid_json"}},
		"a byte order mark before it":  {"\ufeff" + event(), []string{"  invalid_json"}},
		"a no-break space before it":   {"\u00a0" + event(), []string{"  invalid_json"}},
		"a NUL before it":              {"\x00" + event(), []string{"  invalid_json"}},
		"a byte order mark within":     {"{\ufeff" + event()[1:], []string{"  invalid_json"}},
		"too many levels":              {event("deep", strings.Repeat("[", 10_001)+strings.Repeat("]", 10_001)), []string{"  invalid_json"}},
		"too many levels of objects":   {event("deep", strings.Repeat(`{"a":`, 9_998)+"1"+strings.Repeat("}", 9_998)), []string{"  invalid_json"}},
		"a word for an item":           {`NaN`, []string{"  invalid_json"}},
		"time with a comma":            {event("event_time", `"2026-01-15T10:15:00,5Z"`), []string{id + " event_time invalid_time"}},
		"offset of sixty minutes":      {event("event_time", `"2026-01-15T10:15:00+00:60"`), []string{id + " event_time invalid_time"}},
		"offset without a colon":       {event("event_time", `"2026-01-15T10:15:00+0000"`), []string{id + " event_time invalid_time"}},
		"hour of one digit":            {event("event_time", `"2026-01-15T9:15:00Z"`), []string{id + " event_time invalid_time"}},
		"year 0":                       {event("event_time", `"0000-01-15T10:15:00Z"`), []string{id + " event_time invalid_time"}},
		"year 10000 in UTC":            {event("event_time", `"9999-12-31T23:59:59-01:00"`), []string{id + " event_time invalid_time"}},
		"several errors": {event("order_revenue", `"x"`, "event_time", `"x"`),
			[]string{id + " event_time invalid_time", id + " order_revenue not_a_number"}},
	} {
		t.Run(name+" is rejected beside a good item", func(t *testing.T) {
			t.Parallel()
			r := newTest(t)
			var want []string
			for _, w := range c.want {
				want = append(want, "1 "+w)
			}
			a := r.items(t, order(1), c.item, order(2))
			require.Equal(t, http.StatusAccepted, a.status, a.text)
			require.Equal(t, []int{2, 0, 1}, []int{a.Accepted, a.Duplicates, a.Rejected})
			require.Equal(t, want, brief(a.Errors))
			for _, e := range a.Errors {
				require.NotEmpty(t, e.Message)
			}
			require.Len(t, r.inbox.rows, 2)
			r.starter.idle(t)
		})
	}
}

func TestItemIsAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ item, id, kind string }{
		"event_id of its own":            {event("event_id", `"e-1"`), "e-1", ""},
		"event_id null":                  {event("event_id", `null`), "2025020100003333", ""},
		"event_id empty":                 {event("event_id", `""`), "2025020100003333", ""},
		"order_id written as a number":   {event("order_id", `12345678901234567890`), "12345678901234567890", ""},
		"outer white space":              {event("order_id", `" 7 "`, "storefront_id", `"\tbosley "`), "7", ""},
		"escaped field names and values": {strings.Replace(event("order_id", `"\u0037"`), "order_id", `order\u005fid`, 1), "7", ""},
		"a repeated name counts last":    {`{"order_id":{},` + event("order_id", `"9"`)[1:], "9", ""},
		"event_name in capitals":         {event("event_name", `" Purchase_COMPLETED"`), "2025020100003333", "purchase_completed"},
		"t-value missing":                {event("t-value", ""), "2025020100003333", ""},
		"t-value null":                   {event("t-value", "null"), "2025020100003333", ""},
		"t-value empty":                  {event("t-value", `""`), "2025020100003333", ""},
		"t-value a number":               {event("t-value", `12`), "2025020100003333", ""},
		"100 characters of four bytes":   {event("order_id", `"`+strings.Repeat("😀", 100)+`"`), strings.Repeat("😀", 100), ""},
		"numeric text as revenue":        {event("order_revenue", `" 80.79 "`), "2025020100003333", ""},
		"revenue null":                   {event("order_revenue", `null`), "2025020100003333", ""},
		"revenue empty":                  {event("order_revenue", `""`), "2025020100003333", ""},
		"revenue zero":                   {event("order_revenue", `0`), "2025020100003333", ""},
		"revenue with many digits":       {event("order_revenue", `12345678901234567890.123`), "2025020100003333", ""},
		"offset and fraction":            {event("event_time", `"2026-01-15T10:25:00.123456+05:30"`), "2025020100003333", ""},
		"NUL elsewhere, as it was sent":  {event("note", `"a\u0000b"`), "2025020100003333", ""},
		"spacing inside the item":        {"{ \n" + event()[1:], "2025020100003333", ""},
		"a deep payload":                 {event("deep", strings.Repeat("[", 500)+strings.Repeat("]", 500)), "2025020100003333", ""},
	} {
		t.Run(name+" is accepted", func(t *testing.T) {
			t.Parallel()
			r := newTest(t)
			a := r.items(t, " "+c.item+"\n")
			require.Equal(t, http.StatusAccepted, a.status, a.text)
			require.JSONEq(t, `{"accepted":1,"duplicates":0,"rejected":0,"errors":[]}`, a.text)
			require.Equal(t, c.id, r.inbox.rows[0].EventID)
			require.Equal(t, "bosley", r.inbox.rows[0].StorefrontCode)
			require.Equal(t, c.item, string(r.inbox.rows[0].Payload))
			if c.kind != "" {
				require.Equal(t, c.kind, r.inbox.rows[0].Type)
			}
		})
	}
	t.Run("a payload of 65,535 bytes is accepted", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		fill := strings.Repeat("x", relay.MaxPayload-len(event("note", `""`)))
		require.Equal(t, 1, r.items(t, event("note", `"`+fill+`"`)).Accepted)
		require.Len(t, r.inbox.rows[0].Payload, relay.MaxPayload)
	})
}
