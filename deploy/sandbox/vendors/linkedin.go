package vendors

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

const linkedinRetired = "202511" // the newest version that is no longer served

var (
	linkedinMonth  = regexp.MustCompile(`^20[0-9]{2}(0[1-9]|1[0-2])$`)
	linkedinRule   = regexp.MustCompile(`^urn:lla:llaPartnerConversion:[0-9]+$`)
	linkedinAmount = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	currencyCode   = regexp.MustCompile(`^[A-Z]{3}$`)
	countryCode    = regexp.MustCompile(`^[A-Z]{2}$`)
)

// conversion is one event of the Conversions API, as far as a web shop uses it.
type conversion struct {
	Rule  string      `json:"conversion"`
	Time  json.Number `json:"conversionHappenedAt"`
	Value *struct {
		Currency string          `json:"currencyCode"`
		Amount   json.RawMessage `json:"amount"`
	} `json:"conversionValue"`
	ID   string `json:"eventId"`
	User *struct {
		IDs *[]struct {
			Type  string `json:"idType"`
			Value string `json:"idValue"`
		} `json:"userIds"`
		Info *struct {
			HashedFirst string `json:"hashedFirstName"`
			HashedLast  string `json:"hashedLastName"`
			CountryCode string `json:"countryCode"`
		} `json:"userInfo"`
		External []string `json:"externalIds"`
	} `json:"user"`
}

// linkedin is the Conversions API: POST /conversionEvents with a member's token, and the service that renews such a token.
func linkedin(r *http.Request, body []byte) sandbox.Answer {
	switch {
	case strings.HasSuffix(r.URL.Path, "/oauth/v2/accessToken"):
		return renewed(r, body)
	case !strings.HasSuffix(r.URL.Path, "/linkedin/conversionEvents"):
		return linkedinError(404, 0, "RESOURCE_NOT_FOUND", "No virtual resource found")
	}
	version := r.Header.Get("LinkedIn-Version")
	switch token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case !bearer || token == "":
		return linkedinError(401, 65604, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token")
	case token == RevokedToken:
		return linkedinError(401, 65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user")
	case version == "":
		return linkedinError(400, 0, "VERSION_MISSING", "A version must be present")
	case !linkedinMonth.MatchString(version) || version <= linkedinRetired:
		return linkedinError(426, 0, "NONEXISTENT_VERSION", "Requested version is not active")
	case r.Header.Get("X-Restli-Protocol-Version") != "2.0.0":
		return linkedinError(400, 0, "INVALID_PROTOCOL", "Rest.li protocol version")
	}
	var e conversion
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" || read(body, &e, true) != nil {
		return linkedinError(400, 0, "INVALID_REQUEST", "Cannot parse the body, or a field is not in the schema")
	}
	if path := e.wrong(); path != "" {
		return linkedinError(422, 0, "INVALID_VALUE", "Index: 0, ERROR :: "+path+" :: is missing or not valid\n")
	}
	return sandbox.Answer{Status: http.StatusCreated}
}

func linkedinError(status, service int, code, message string) sandbox.Answer {
	e := object{"status": status, "code": code, "message": message}
	if service > 0 {
		e["serviceErrorCode"] = service
	}
	return answer(status, e)
}

// renewed is an access token for a refresh token.
func renewed(r *http.Request, body []byte) sandbox.Answer {
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || form.Get("grant_type") != "refresh_token":
		return answer(400, object{"error": "invalid_request", "error_description": "grant_type"})
	case form.Get("client_id") == "" || form.Get("client_secret") == "":
		return answer(401, object{"error": "invalid_client", "error_description": "Client authentication failed"})
	case form.Get("refresh_token") == "" || form.Get("refresh_token") == RevokedToken:
		return answer(400, object{"error": "invalid_grant", "error_description": "The provided refresh token is invalid, expired or revoked"})
	}
	return answer(200, object{"access_token": "issued-by-linkedin", "expires_in": 5184000, "refresh_token": form.Get("refresh_token"),
		"refresh_token_expires_in": 31535999})
}

// wrong is the path of the field for which an event is refused.
func (e conversion) wrong() string {
	millis, err := e.Time.Int64()
	age := time.Since(time.UnixMilli(millis))
	switch {
	case !linkedinRule.MatchString(e.Rule):
		return "/conversion"
	case err != nil || len(e.Time) != 13 || age > 90*24*time.Hour || age < -time.Minute:
		return "/conversionHappenedAt"
	case e.Value != nil && (!currencyCode.MatchString(e.Value.Currency) || !isAmountText(e.Value.Amount)):
		return "/conversionValue/amount"
	case e.ID == "" || len(e.ID) > 100:
		return "/eventId"
	case e.User == nil || e.User.IDs == nil:
		return "/user/userIds"
	case len(e.User.External) > 1:
		return "/user/externalIds"
	}
	return e.wrongPerson()
}

func (e conversion) wrongPerson() string {
	for _, id := range *e.User.IDs {
		switch {
		case id.Value == "":
			return "/user/userIds/idValue"
		case id.Type == "SHA256_EMAIL" && !isHash(id.Value):
			return "/user/userIds/idValue"
		case id.Type != "SHA256_EMAIL" && id.Type != "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID" && id.Type != "PLAINTEXT_IP_ADDRESS":
			return "/user/userIds/idType"
		}
	}
	switch info := e.User.Info; {
	case info == nil && len(*e.User.IDs) == 0:
		return "/user/userIds"
	case info == nil:
	case !isHash(info.HashedFirst) || !isHash(info.HashedLast):
		return "/user/userInfo/hashedFirstName"
	case info.CountryCode != "" && !countryCode.MatchString(info.CountryCode):
		return "/user/userInfo/countryCode"
	}
	return ""
}

// isAmountText reports whether an amount is a decimal number in a text, as LinkedIn has it.
func isAmountText(raw json.RawMessage) bool {
	var s string
	return json.Unmarshal(raw, &s) == nil && linkedinAmount.MatchString(s)
}
