package api

import (
	"encoding/json"
	"strconv"
	"time"

	"relay/internal/relay"
)

// saleName is the type of a test event, which every platform takes. A container's adapter makes another of it.
const saleName = "purchase_completed"

// testEvent is made up: an order that does not exist, a value, and a person who does not exist. Its shopper has consented,
// for storefronts that require it.
func testEvent(s relay.Storefront, kind string) relay.Event {
	now := time.Now().UTC()
	page := s.BaseURL
	if page == "" {
		page = "https://example.com/"
	}
	payload := relay.Payload{"order_revenue": []byte("1.00"), "consent": []byte("true")}
	setTexts(payload, map[string]string{"order_id": "relay-test", "event_name": kind, "storefront_id": s.Code,
		"event_time": now.Format(time.RFC3339), "currency": s.Currency, "page_location": page, "client_ip": "203.0.113.10",
		"user_agent": "Mozilla/5.0 (relay test)", "email": "relay-test@example.com", "state": "CA", "country": "US",
		"session_id": "1700000000"})
	return relay.Event{EventID: "relay-test-" + now.Format("20060102150405"), Type: kind, Source: relay.SourceAPI, Storefront: s,
		Payload: payload, CreatedAt: now, Now: now}
}

// sampleEvent has every field that some destination needs: settings that refuse it refuse every event. It
// is never sent.
func sampleEvent(s relay.Storefront, kind string) relay.Event {
	e := testEvent(s, kind)
	click := strconv.FormatInt(e.Now.Add(-time.Hour).UnixMilli(), 10)
	setTexts(e.Payload, map[string]string{
		"phone": "+14155552671", "first_name": "Jane", "last_name": "Example", "gender": "f", "date_of_birth": "1980-05-17", "city": "Fresno",
		"zip": "93701", "external_id": "customer-7f3ac1", "client_ip": "8.8.4.4", "page_location": "https://shop.example.com/thanks",
		"fbc": "fb.1." + click + ".AbCdEfGhIj", "fbp": "fb.1." + click + ".1098115397", "fbclid": "AbCdEfGhIj", "gclid": "EAIaIQobChMI7f",
		"ttclid": "E.C.P.v3fQ2RHacdksKfofPmlyuStI", "ttp": "5j2Kx8wQd3", "scclid": "0f3b2a9c-5d1e-4a7b-9c8d-1e2f3a4b5c6d",
		"epik": "dj0yJnU9VGhlX2Nha2VfaXNfYV9saWU", "ga_client_id": "1098115397.1700000000", "ga_session_id": "1700000000",
		"item_id": "sku-1", "quantity": "1",
	})
	e.Payload["items"] = []byte(`[{"item_id":"sku-1","sku":"sku-1","item_name":"Sample","price":1.00,"quantity":1}]`)
	return e
}

func setTexts(p relay.Payload, values map[string]string) {
	for name, value := range values {
		p[name], _ = json.Marshal(value) // a string always marshals
	}
}
