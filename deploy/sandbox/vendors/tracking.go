package vendors

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

// maxCall is the largest call that Segment takes, in bytes.
const maxCall = 32 << 10

// call is a track call of the HTTP tracking API, as far as a web shop uses it.
type call struct {
	Event       string      `json:"event"`
	UserID      string      `json:"userId"`
	AnonymousID string      `json:"anonymousId"`
	MessageID   string      `json:"messageId"`
	Timestamp   time.Time   `json:"timestamp"`
	Properties  *properties `json:"properties"`
	Context     struct {
		IP        string            `json:"ip"`
		UserAgent string            `json:"userAgent"`
		Page      map[string]string `json:"page"`
		Campaign  map[string]string `json:"campaign"`
	} `json:"context"`
}

type properties struct {
	OrderID      string   `json:"order_id"`
	Revenue      *float64 `json:"revenue"`
	Total        *float64 `json:"total"`
	Currency     string   `json:"currency"`
	StorefrontID string   `json:"storefront_id"`
	AffiliateID  string   `json:"affiliate_id"`
	Products     []struct {
		ID       string      `json:"product_id"`
		SKU      string      `json:"sku"`
		Name     string      `json:"name"`
		Price    json.Number `json:"price"`
		Quantity json.Number `json:"quantity"`
	} `json:"products"`
}

// segment is Twilio Segment's API. It is stricter than the real one, which responds 200 to a wrong write key and to most wrong calls,
// and loses them later: a refusal here shows the mistake.
func segment(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(status int, message string) sandbox.Answer {
		return answer(status, object{"success": false, "message": message})
	}
	key, basic := writeKey(r)
	switch wrong := wrongCall(body); {
	case !strings.HasSuffix(r.URL.Path, "/segment/v1/track"):
		return refuse(http.StatusNotFound, "not found")
	case !basic || key == RevokedToken:
		return refuse(http.StatusUnauthorized, "write key")
	case len(body) > maxCall:
		return refuse(http.StatusBadRequest, "Exceed payload limit")
	case wrong != "":
		return refuse(http.StatusBadRequest, wrong)
	}
	return answer(http.StatusOK, object{"success": true})
}

// rudderstack is the gateway of a RudderStack data plane, which responds with text.
func rudderstack(r *http.Request, body []byte) sandbox.Answer {
	say := func(status int, text string) sandbox.Answer {
		return sandbox.Answer{Status: status, Body: text, Headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}}
	}
	key, basic := writeKey(r)
	switch wrong := wrongCall(body); {
	case !strings.HasSuffix(r.URL.Path, "/rudderstack/v1/track"):
		return say(http.StatusNotFound, "404 page not found")
	case !basic:
		return say(http.StatusUnauthorized, "Failed to read writeKey from header")
	case key == RevokedToken:
		return say(http.StatusUnauthorized, "Invalid Write Key")
	case wrong != "":
		return say(http.StatusBadRequest, wrong)
	}
	return say(http.StatusOK, "OK")
}

// writeKey is the user of HTTP Basic without a password.
func writeKey(r *http.Request) (string, bool) {
	key, password, ok := r.BasicAuth()
	return key, ok && key != "" && password == ""
}

// wrongCall is what a call lacks.
func wrongCall(body []byte) string {
	var c call
	if read(body, &c, true) != nil {
		return "Invalid JSON"
	}
	switch {
	case c.UserID == "" && c.AnonymousID == "":
		return "Request neither has anonymousId nor userId"
	case c.Event == "":
		return "event"
	case c.MessageID == "" || len(c.MessageID) > 100:
		return "messageId"
	case c.Timestamp.IsZero() || time.Until(c.Timestamp) > time.Minute:
		return "timestamp"
	case c.Properties == nil:
		return "properties"
	case (c.Properties.Revenue != nil || c.Properties.Total != nil) != currencyCode.MatchString(c.Properties.Currency):
		return "properties.currency"
	}
	return ""
}
