package vendors

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

// insertID is the form of the id by which Mixpanel drops a second copy.
var insertID = regexp.MustCompile(`^[A-Za-z0-9-]{1,36}$`)

// placeholderIDs are the ids that Mixpanel refuses because programs write them for a missing one.
var placeholderIDs = []string{"anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "0", "-1", "true", "false", "[]", "{}",
	"00000000-0000-0000-0000-000000000000"}

// mixpanel is the Import API: POST /import?strict=1 with HTTP Basic, the token of a project alone or a service account with a project.
func mixpanel(r *http.Request, body []byte) sandbox.Answer {
	refuse := func(field string) sandbox.Answer {
		return answer(http.StatusBadRequest, object{"code": 400, "error": "some data points in the request failed validation", "status": "Bad Request",
			"num_records_imported": 0, "failed_records": []object{{"index": 0, "insert_id": "", "field": field, "message": "refused"}}})
	}
	user, password, ok := r.BasicAuth()
	account := password != ""
	switch {
	case !ok || user == "" || revoked(user) || revoked(password) || account && r.URL.Query().Get("project_id") == "":
		return answer(http.StatusUnauthorized, object{"code": 401, "error": "Invalid credentials", "status": "Unauthorized"})
	case !strings.HasSuffix(r.URL.Path, "/import"):
		return answer(http.StatusNotFound, object{"code": 404, "status": "Not Found"})
	case r.URL.Query().Get("strict") != "1":
		return refuse("strict") // without it Mixpanel would hide the errors of an event
	}
	var list []struct {
		Event      string                     `json:"event"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := read(body, &list, true); err != nil || len(list) != 1 {
		return refuse("body")
	}
	if field := wrongProperty(list[0].Event, list[0].Properties); field != "" {
		return refuse(field)
	}
	return answer(http.StatusOK, object{"code": 200, "num_records_imported": 1, "status": "OK"})
}

// wrongProperty is the field for which an event is refused.
func wrongProperty(event string, properties map[string]json.RawMessage) string {
	var who, id string
	millis, notWhole := json.Number(properties["time"]).Int64()
	at := time.UnixMilli(millis)
	switch {
	case event == "" || len(event) > 255:
		return "event"
	case notWhole != nil || at.Year() < 1971 || at.After(time.Now().Add(time.Hour)):
		return "properties.time"
	case json.Unmarshal(properties["distinct_id"], &who) != nil || slices.Contains(placeholderIDs, strings.ToLower(who)):
		return "properties.distinct_id"
	case json.Unmarshal(properties["$insert_id"], &id) != nil || !insertID.MatchString(id):
		return "properties.$insert_id"
	case len(properties) >= 255:
		return "properties"
	}
	for name, raw := range properties {
		if depth(raw) > 3 {
			return "properties." + name
		}
	}
	return ""
}

// depth is how deep objects and lists are nested in a value.
func depth(raw json.RawMessage) int {
	deepest, now, text := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case !text && (c == '{' || c == '['):
			now++
			deepest = max(deepest, now)
		case !text && (c == '}' || c == ']'):
			now--
		}
	}
	return deepest
}
