package vendors

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"relay/deploy/sandbox"
)

// Revoked is a token that no platform knows any more.
const Revoked = "revoked-token"

// redditPath is the path of one pixel's events, below the platform's.
var redditPath = regexp.MustCompile(`^/vendors/reddit/v3/pixels/[A-Za-z0-9_-]+/conversion_events$`)

// redditTypes are the tracking types that need no name.
var redditTypes = []string{"PAGE_VISIT", "VIEW_CONTENT", "SEARCH", "ADD_TO_CART", "ADD_TO_WISHLIST", "PURCHASE", "LEAD", "SIGN_UP"}

// redditEvent is one event of the Conversions API v3, as far as a web shop uses it. Names of v2 are errors.
type redditEvent struct {
	At     json.Number `json:"event_at"`
	Source string      `json:"action_source"`
	URL    string      `json:"event_source_url"`
	Click  string      `json:"click_id"`
	Type   struct {
		Tracking string  `json:"tracking_type"`
		Custom   *string `json:"custom_event_name"`
	} `json:"type"`
	User struct {
		Email      string     `json:"email"`
		Phone      string     `json:"phone_number"`
		ExternalID string     `json:"external_id"`
		UUID       string     `json:"uuid"`
		IP         string     `json:"ip_address"`
		Agent      string     `json:"user_agent"`
		Processing *redditLDU `json:"data_processing_options"`
	} `json:"user"`
	Metadata struct {
		ID        string      `json:"conversion_id"`
		Value     json.Number `json:"value"`
		Currency  string      `json:"currency"`
		ItemCount json.Number `json:"item_count"`
		Products  []struct {
			ID       string      `json:"id"`
			Name     string      `json:"name"`
			Category string      `json:"category"`
			Price    json.Number `json:"item_price"`
			Quantity json.Number `json:"quantity"`
		} `json:"products"`
	} `json:"metadata"`
}

type redditLDU struct {
	Modes   []string `json:"modes"`
	Country string   `json:"country"`
	Region  string   `json:"region"`
}

// reddit is the Conversions API v3 with a conversion access token. Its bodies are those that integrations report.
func reddit(r *http.Request, body []byte) sandbox.Answer {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !redditPath.MatchString(r.URL.Path):
		return redditRefusal(http.StatusNotFound, "not found")
	case !bearer || token == "" || token == Revoked:
		return sandbox.Answer{Status: http.StatusUnauthorized, Body: "Authorization Required", Headers: map[string]string{"Content-Type": "text/plain"}}
	}
	var b struct {
		Data struct {
			TestID  string        `json:"test_id"`
			Partner string        `json:"partner"`
			Events  []redditEvent `json:"events"`
		} `json:"data"`
	}
	if err := read(body, &b, true); err != nil || len(b.Data.Events) != 1 {
		return redditRefusal(http.StatusBadRequest, "JSON error")
	}
	if field := b.Data.Events[0].wrong(); field != "" {
		return redditRefusal(http.StatusBadRequest, "invalid "+field)
	}
	return answer(http.StatusOK, object{"data": object{"message": "Successfully processed 1 conversion events."}})
}

func redditRefusal(status int, message string) sandbox.Answer {
	return answer(status, object{"error": object{"code": status, "message": message}})
}

// RedditThrottled is the response to a pixel that sends more than 5,000 requests a minute.
func RedditThrottled() sandbox.Answer {
	return redditRefusal(http.StatusTooManyRequests, "Too Many Requests")
}

// RedditInvalid is a success of the request with an event that was not taken.
func RedditInvalid() sandbox.Answer {
	return answer(http.StatusOK, object{"message": "Successfully processed 0 conversion events.", "invalid_events": []object{{"error_message": "refused"}}})
}

// wrong is the field for which an event is refused.
func (e redditEvent) wrong() string {
	u, m := e.User, e.Metadata
	switch {
	case !recentMillis(e.At):
		return "event_at"
	case e.Source != "WEBSITE":
		return "action_source"
	case !e.typed():
		return "type"
	case strings.Contains(e.URL, "?"):
		return "event_source_url"
	case u.Email != "" && !isHash(u.Email), u.Phone != "" && !isHash(u.Phone), u.ExternalID != "" && !isHash(u.ExternalID):
		return "user"
	case u.IP != "" && !isAddress(u.IP):
		return "user.ip_address"
	case u.Processing != nil && !slices.Equal(u.Processing.Modes, []string{"LDU"}):
		return "user.data_processing_options"
	case e.Click+u.Email+u.Phone+u.ExternalID+u.UUID+u.IP == "":
		return "user"
	case m.ID == "":
		return "metadata.conversion_id"
	case (m.Value == "") != (m.Currency == ""), e.Type.Tracking == "PURCHASE" && m.Value == "":
		return "metadata.value"
	}
	return ""
}

// isAddress reports whether a text is an IP address: v3 wants it as it is, not hashed.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// typed reports whether the type is one of Reddit's, or a custom one with a name.
func (e redditEvent) typed() bool {
	if e.Type.Tracking == "CUSTOM" {
		return e.Type.Custom != nil && *e.Type.Custom != "" && utf8.RuneCountInString(*e.Type.Custom) <= 64
	}
	return e.Type.Custom == nil && slices.Contains(redditTypes, e.Type.Tracking)
}

// recentMillis reports whether a time in milliseconds is within the last seven days, or at most five minutes in the future.
func recentMillis(n json.Number) bool {
	millis, err := n.Int64()
	age := time.Since(time.UnixMilli(millis))
	return err == nil && age < 7*24*time.Hour && age > -5*time.Minute
}
