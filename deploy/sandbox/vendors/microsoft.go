package vendors

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"relay/deploy/sandbox"
)

// msclkid matches Microsoft's click ids.
var msclkid = regexp.MustCompile(`^[0-9A-Fa-f-]{32,36}$`)

// uetEvent is one event of the UET Conversions API, as far as a web shop uses it.
type uetEvent struct {
	Type    string      `json:"eventType"`
	Name    string      `json:"eventName"`
	ID      string      `json:"eventId"`
	Time    json.Number `json:"eventTime"`
	Consent string      `json:"adStorageConsent"`
	User    uetUser     `json:"userData"`
	Custom  struct {
		Value    json.Number `json:"value"`
		Currency string      `json:"currency"`
		Order    string      `json:"transactionId"`
		IDs      []string    `json:"itemIds"`
		Items    []struct {
			ID       string      `json:"id"`
			Name     string      `json:"name"`
			Price    json.Number `json:"price"`
			Quantity json.Number `json:"quantity"`
		} `json:"items"`
	} `json:"customData"`
}

type uetUser struct {
	Email      string `json:"em"`
	Phone      string `json:"ph"`
	ExternalID string `json:"externalId"`
	Anonymous  string `json:"anonymousId"`
	ClickID    string `json:"msclkid"`
	IP         string `json:"clientIpAddress"`
	Agent      string `json:"clientUserAgent"`
}

// matches reports whether something may match the user. An external id that is a hash matches no user: the tag sends the id itself.
func (u uetUser) matches() bool {
	own := u.ExternalID != "" && !isHash(u.ExternalID)
	return own || u.Email+u.Phone+u.Anonymous+u.ClickID != "" || u.IP != "" && u.Agent != ""
}

// microsoft simulates the UET Conversions API: POST /v1/{tag}/events with the tag's own token.
func microsoft(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(status int, code, property string) sandbox.Answer {
		return answer(status, object{"error": object{"code": code, "message": "refused", "details": []object{{"index": 0, "propertyName": property,
			"errorMessage": "invalid"}}}, "traceId": "sandbox-trace"})
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return refuse(http.StatusUnauthorized, "Unauthorized", "")
	}
	var b struct {
		Data []uetEvent `json:"data"`
	}
	if err := read(body, &b, true); err != nil || len(b.Data) != 1 {
		return refuse(http.StatusBadRequest, "ValidationError", "data")
	}
	if property := b.Data[0].wrong(); property != "" {
		return refuse(http.StatusBadRequest, "ValidationError", property)
	}
	return answer(http.StatusOK, object{"eventsReceived": 1})
}

// wrong returns the property for which an event is refused.
func (e uetEvent) wrong() string {
	u := e.User
	switch {
	case e.Type != "custom" || e.Name == "":
		return "eventName"
	case e.ID == "":
		return "eventId"
	case !recent(e.Time):
		return "eventTime"
	case e.Consent != "" && e.Consent != "G" && e.Consent != "D":
		return "adStorageConsent"
	case u.Email != "" && !isHash(u.Email):
		return "userData.em"
	case u.Phone != "" && !isHash(u.Phone):
		return "userData.ph"
	case u.ClickID != "" && !msclkid.MatchString(u.ClickID):
		return "userData.msclkid"
	case !u.matches():
		return "userData"
	case (e.Custom.Value == "") != (e.Custom.Currency == ""):
		return "customData.currency"
	}
	return ""
}
