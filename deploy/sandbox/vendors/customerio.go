package vendors

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"relay/deploy/sandbox"
)

// ulid is the form of the id by which Customer.io drops a second copy.
var ulid = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// customerIO is the Track API, version 2: POST /v2/entity with HTTP Basic. Unlike Customer.io it refuses attributes that redirect mail.
func customerIO(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(reason, field string) sandbox.Answer {
		return answer(http.StatusBadRequest, object{"errors": []object{{"reason": reason, "field": field, "message": "refused"}}})
	}
	site, key, ok := r.BasicAuth()
	switch {
	case !ok || site == "" || key == "" || revoked(key):
		return answer(http.StatusUnauthorized, object{"meta": object{"error": "Unauthorized request"}})
	case !strings.HasSuffix(r.URL.Path, "/v2/entity"):
		return answer(http.StatusNotFound, object{})
	case len(body) > 32<<10:
		return answer(http.StatusRequestEntityTooLarge, object{"meta": object{"errors": []string{"request too large"}}})
	}
	var b struct {
		Type        string                     `json:"type"`
		Identifiers map[string]string          `json:"identifiers"`
		Action      string                     `json:"action"`
		Name        string                     `json:"name"`
		ID          string                     `json:"id"`
		Timestamp   json.RawMessage            `json:"timestamp"`
		Attributes  map[string]json.RawMessage `json:"attributes"`
	}
	if err := read(body, &b, true); err != nil {
		return refuse("malformed", "body")
	}
	seconds := json.Number(b.Timestamp)
	_, notWhole := seconds.Int64()
	switch {
	case b.Type != "person" || b.Action != "event":
		return refuse("invalid", "type")
	case b.Name == "":
		return refuse("required", "name")
	case len(b.Identifiers) != 1 || b.Identifiers["id"]+b.Identifiers["email"]+b.Identifiers["cio_id"] == "":
		return refuse("required", "identifiers")
	case b.Identifiers["email"] != "" && !strings.Contains(b.Identifiers["email"], "@"):
		return refuse("invalid", "identifiers.email")
	case !ulid.MatchString(b.ID):
		return refuse("invalid", "id")
	case notWhole != nil || len(b.Timestamp) > 10:
		return refuse("invalid", "timestamp")
	}
	if name := wrongAttribute(b.Attributes); name != "" {
		return refuse("invalid", "attributes."+name)
	}
	return answer(http.StatusOK, object{})
}

// wrongAttribute is an attribute that redirects mail, or is too long.
func wrongAttribute(attributes map[string]json.RawMessage) string {
	for _, name := range []string{"recipient", "from_address", "reply_to"} {
		if attributes[name] != nil {
			return name
		}
	}
	for name, value := range attributes {
		if len(value) > 1000 {
			return name
		}
	}
	return ""
}
