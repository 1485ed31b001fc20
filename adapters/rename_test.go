package adapters_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/internal/relay"
)

// telltale is an event type whose name alone discloses a patient, in common spellings.
const telltale = "rx_issued"

var spelled = regexp.MustCompile(`(?i)rx[ _.-]?issued`)

// repeating are fields in which shops repeat an event's name, and in which it must not leave.
var repeating = map[string]string{
	"event_name": `"rx_issued"`, "order_id": `"1:rx_issued"`, "session_id": `"rx_issued-1"`, "t-value": `"rx.issued"`,
	"utm_source": `"Rx-Issued"`, "utm_medium": `"rx issued"`, "utm_campaign": `"spring_RX_ISSUED"`, "utm_term": `"rxissued"`,
	"utm_content": `"rx_issued"`, "utm_id": `"rx_issued"`, "coupon": `"RXISSUED"`, "affiliation": `"rx_issued"`, "customer_type": `"rx_issued"`,
	"lead_source": `"rx_issued"`, "payment_type": `"rx_issued"`, "sign_up_method": `"rx_issued"`, "content_name": `"rx_issued"`,
	"content_category": `"rx_issued"`, "content_brand": `"rx_issued"`, "search_string": `"rx_issued"`, "status": `"rx_issued"`,
	"description": `"rx_issued"`, "page_title": `"rx_issued"`, "shop_id": `"rx_issued"`, "page_location": `"https://bosley.example/rx_issued?a=rx_issued#rx_issued"`,
	"page_referrer": `"https://bosley.example/?then=rx%5Fissued"`, "user_agent": `"UA/1 rx_issued"`, "gclid": `"rx_issued"`, "ttclid": `"rx_issued"`,
	"ttp": `"rx_issued"`, "ScCid": `"rx_issued"`, "_scid": `"rx_issued"`, "epik": `"rx_issued"`, "ga_client_id": `"rx_issued"`,
	"external_id": `"rx_issued"`, "items": `[{"id": "rx_issued", "item_name": "rx_issued", "item_brand": "rx_issued", "category": "rx_issued"}, {"id": "7"}]`,
	"diagnosis": `"rx_issued"`,
}

// neutral is a name that reveals nothing: the adapter's own proposal, or an id.
func neutral(a relay.Namer) string { return cmp.Or(a.EventNames().Proposed[telltale], "1234567") }

// hiding are the spellings behind which a name is still a name.
var hiding = []string{"/rx/issued", "RX%5Fissued", "rx+issued", "rx%255Fissued", "rx%2Bissued", "rx&#95;issued", "ｒｘ＿ｉｓｓｕｅｄ", "r%78.issued"}

// A neutral name is worth nothing where the plain one leaves beside it.
func TestARenamedEventIsSentWithoutItsOwnName(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		namer, ok := a.(relay.Namer)
		if !ok {
			t.Skip("the container is the owner's own, and the sandbox is no platform")
		}
		c := cases[slices.IndexFunc(cases, func(c adaptertest.Case) bool { return c.Name == "purchase_full" })]
		p := maps.Clone(c.Event.Payload)
		for field, value := range repeating {
			p[field] = json.RawMessage(value)
		}
		c.Event.Type, c.Event.EventID, c.Event.Payload = telltale, "1:rx_issued", p
		o := &c.Destination.Options
		o.Identifiers, o.SendIP, o.SendUserAgent, o.KeepURLQuery = "hashed", true, true, true
		o.Events = map[string]relay.EventRule{telltale: {Name: neutral(namer)}}
		for _, allow := range [][]string{nil, slices.Concat(slices.Collect(maps.Keys(p)), []string{"item_name", "item_brand", "item_category"})} {
			o.Allow = allow
			r, err := a.Request(c.Destination, c.Event)
			require.NoError(t, err)
			for _, kept := range []string{r.URL, string(r.Body), r.EventName, r.Version, strings.Join(r.Warnings, " "), relay.RedactBody(r.Body)} {
				require.NotRegexp(t, spelled, kept)
			}
			require.Contains(t, string(r.Body), c.Event.DedupID())
		}
	})
}

// A spelling that hides a name from a regular expression does not hide it from the vendor.
func TestNoSpellingSendsAHiddenName(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		namer, ok := a.(relay.Namer)
		if !ok {
			t.Skip("the container is the owner's own, and the sandbox is no platform")
		}
		c := cases[slices.IndexFunc(cases, func(c adaptertest.Case) bool { return c.Name == "purchase_full" })]
		full := c.Event.Payload
		o := &c.Destination.Options
		o.Identifiers, o.SendIP, o.SendUserAgent, o.KeepURLQuery = "hashed", true, true, true
		o.Events = map[string]relay.EventRule{telltale: {Name: neutral(namer)}}
		c.Event.Type, c.Event.Storefront.SendsPayloadEventID = telltale, true
		for _, spelling := range hiding {
			text, err := json.Marshal(spelling)
			require.NoError(t, err)
			page, err := json.Marshal("https://bosley.example/" + strings.TrimPrefix(spelling, "/") + "?a=" + spelling)
			require.NoError(t, err)
			c.Event.Payload = maps.Clone(full)
			for field := range repeating {
				c.Event.Payload[field] = text
			}
			c.Event.Payload["event_id"], c.Event.Payload["page_location"], c.Event.Payload["page_referrer"] = text, page, page
			c.Event.Payload["items"] = json.RawMessage(`[{"id":` + string(text) + `,"quantity":1}]`)
			r, err := a.Request(c.Destination, c.Event)
			require.NoError(t, err)
			body := strings.ReplaceAll(string(r.Body), "jane.doe+rx@example.com", "") // agreed, where the case has plain_identifiers
			require.False(t, relay.Reveals(body, telltale), "%s in %s", spelling, r.Body)
		}
	})
}
