package vendors

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	datamanager "google.golang.org/api/datamanager/v1"

	"relay/deploy/sandbox"
)

// Paths of the played Google below the platform's.
const (
	googleIngest = Prefix + "google_ads/v1/events:ingest"
	googleTokens = Prefix + "google_ads/token"
)

// google is the Data Manager API and, at /token, the service that issues its access tokens. A body is decoded into Google's own types.
func google(r *http.Request, body []byte) sandbox.Answer {
	switch r.URL.Path {
	case googleTokens:
		return googleToken(body)
	case googleIngest:
	default:
		return GoogleRefusal(http.StatusNotFound, "NOT_FOUND", "")
	}
	if !googleKnows(r.Header.Get("Authorization")) {
		return GoogleExpired()
	}
	var b datamanager.IngestEventsRequest
	if err := json.Unmarshal(body, &b); err != nil || !roundTrips(body, &b) {
		return GoogleRefusal(http.StatusBadRequest, "INVALID_ARGUMENT", "")
	}
	if field, reason := googleWrong(&b); reason != "" {
		return googleViolation(field, reason)
	}
	if b.ValidateOnly { // "Only errors are returned, not results."
		return answer(http.StatusOK, object{})
	}
	return answer(http.StatusOK, object{"requestId": "sandbox-request"})
}

// GoogleRefusal is an error in Google's model, with the reason of an ErrorInfo.
func GoogleRefusal(code int, status, reason string) sandbox.Answer {
	info := object{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "datamanager.googleapis.com"}
	return googleError(code, status, info)
}

// googleViolation is a refusal of one field.
func googleViolation(field, reason string) sandbox.Answer {
	return googleError(http.StatusBadRequest, "INVALID_ARGUMENT", object{"@type": "type.googleapis.com/google.rpc.BadRequest",
		"fieldViolations": []object{{"field": field, "description": "refused", "reason": reason}}})
}

// GoogleThrottled is the refusal of a project that has used up its quota: "Minute" or "Day".
func GoogleThrottled(per string) sandbox.Answer {
	return googleError(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", object{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
		"reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": object{"quota_limit": "IngestionMutateRequestsPer" + per + "PerProject"}})
}

// GoogleExpired is the refusal of an access token that Google does not know, or does not know any more.
func GoogleExpired() sandbox.Answer {
	return GoogleRefusal(http.StatusUnauthorized, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED")
}

func googleError(code int, status string, detail object) sandbox.Answer {
	return answer(code, object{"error": object{"code": code, "status": status, "message": "refused", "details": []object{detail,
		{"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "sandbox-refused"}}}})
}

// roundTrips reports whether a body has no name that Google's types lack: such a name is gone after another encoding.
func roundTrips(body []byte, b *datamanager.IngestEventsRequest) bool {
	again, err := json.Marshal(b)
	var sent, got any
	if err != nil || json.Unmarshal(body, &sent) != nil || json.Unmarshal(again, &got) != nil {
		return false
	}
	withoutZeros(sent)
	return reflect.DeepEqual(sent, got)
}

// withoutZeros removes the values that Google's types do not encode.
func withoutZeros(v any) {
	switch v := v.(type) {
	case object:
		for name, inner := range v {
			if inner == 0.0 || inner == false {
				delete(v, name)
			}
			withoutZeros(inner)
		}
	case []any:
		for _, inner := range v {
			withoutZeros(inner)
		}
	}
}

var (
	googleAccount  = regexp.MustCompile(`^[0-9]{10}$`)
	googleAction   = regexp.MustCompile(`^[0-9]{1,20}$`)
	googleCurrency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// googleWrong is the field for which Google refuses a request, and its reason. The spelling of fields is not confirmed.
func googleWrong(b *datamanager.IngestEventsRequest) (field, reason string) {
	if len(b.Destinations) == 0 || len(b.Destinations) > 10 || len(b.Events) == 0 || len(b.Events) > 2000 {
		return "destinations", "REQUIRED_FIELD_MISSING"
	}
	for _, d := range b.Destinations {
		switch {
		case !isGoogleAccount(d.OperatingAccount), d.LoginAccount != nil && !isGoogleAccount(d.LoginAccount):
			return "destinations[0].operating_account", "INVALID_DESTINATION"
		case !googleAction.MatchString(d.ProductDestinationId):
			return "destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID"
		}
	}
	for i, e := range b.Events {
		if field, reason = googleWrongEvent(e, b.Encoding); reason != "" {
			return fmt.Sprintf("events[%d].%s", i, field), reason
		}
	}
	return "", ""
}

func isGoogleAccount(a *datamanager.ProductAccount) bool {
	return a != nil && a.AccountType == "GOOGLE_ADS" && googleAccount.MatchString(a.AccountId)
}

func googleWrongEvent(e *datamanager.Event, encoding string) (field, reason string) {
	at, err := time.Parse(time.RFC3339, e.EventTimestamp)
	ids := e.AdIdentifiers
	switch {
	case err != nil || time.Since(at) < -time.Minute || time.Since(at) > 90*24*time.Hour:
		return "event_timestamp", "EVENT_TIME_INVALID"
	case !slices.Contains([]string{"WEB", "APP", "IN_STORE", "PHONE", "OTHER"}, e.EventSource):
		return "event_source", "INVALID_EVENT_SOURCE"
	case e.TransactionId == "":
		return "transaction_id", "REQUIRED_FIELD_MISSING"
	case e.Currency != "" && !googleCurrency.MatchString(e.Currency), e.ConversionValue != 0 && e.Currency == "":
		return "currency", "INVALID_CURRENCY_CODE"
	case e.ConversionValue < 0:
		return "conversion_value", "INVALID_VALUE"
	case e.UserData == nil && (ids == nil || ids.Gclid+ids.Gbraid+ids.Wbraid == ""):
		return "ad_identifiers", "NO_IDENTIFIERS_PROVIDED"
	case e.UserData != nil && (encoding != "HEX" || !googleIdentifies(e.UserData)):
		return "user_data", "INVALID_HASH"
	case e.Consent != nil && !googleDecides(e.Consent.AdUserData, e.Consent.AdPersonalization):
		return "consent", "INVALID_CONSENT"
	}
	return "", ""
}

// googleIdentifies reports whether each identifier is one hash.
func googleIdentifies(u *datamanager.UserData) bool {
	for _, id := range u.UserIdentifiers {
		if id.Address != nil || (id.EmailAddress == "") == (id.PhoneNumber == "") || !isHash(id.EmailAddress+id.PhoneNumber) {
			return false
		}
	}
	return len(u.UserIdentifiers) > 0 && len(u.UserIdentifiers) <= 10
}

func googleDecides(words ...string) bool {
	return !slices.ContainsFunc(words, func(s string) bool {
		return strings.Trim(s, " ") != "" && s != "CONSENT_GRANTED" && s != "CONSENT_DENIED"
	})
}
