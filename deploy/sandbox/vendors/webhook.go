package vendors

import (
	"encoding/json"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"relay/deploy/sandbox"
)

// WebhookSecret is the secret of the simulated receiver, which refuses every event that is not signed with it.
const WebhookSecret = "whsec_c2FuZGJveC1yZWNlaXZlci1vZi13ZWJob29rcw=="

// webhook simulates a receiver of Standard Webhooks. It verifies signature and time with the specification's own library.
func webhook(r *http.Request, body []byte) sandbox.Answer {
	w, err := standardwebhooks.NewWebhook(WebhookSecret)
	if err != nil {
		return answer(http.StatusInternalServerError, object{"error": err.Error()})
	}
	if err := w.Verify(body, r.Header); err != nil {
		return answer(http.StatusUnauthorized, object{"error": err.Error()})
	}
	var b struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      struct {
			ID           string                     `json:"event_id"`
			Kind         string                     `json:"event_type"`
			StorefrontID string                     `json:"storefront_id"`
			OrderID      string                     `json:"order_id"`
			User         map[string]string          `json:"user"`
			Items        []object                   `json:"items"`
			Payload      map[string]json.RawMessage `json:"payload"`
		} `json:"data"`
	}
	if err := read(body, &b, true); err != nil {
		return answer(http.StatusBadRequest, object{"error": err.Error()})
	}
	if b.Type == "" || b.Timestamp.IsZero() || b.Data.ID == "" || b.Data.Kind != b.Type || b.Data.Payload == nil {
		return answer(http.StatusBadRequest, object{"error": "type, timestamp or data"})
	}
	return sandbox.Answer{Status: http.StatusAccepted}
}
