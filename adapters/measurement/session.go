package measurement

import (
	"net/url"
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// ClientID is the browser's id where the payload has it, else the session's, else a stable one made from the order: it is the
// same on every attempt, and no placeholder makes strangers one user.
func ClientID(e relay.Event, p relay.Payload) string {
	for _, name := range canonical.Spellings("ga_client_id") {
		if id := browserID(p.Text(name)); id != "" {
			return id
		}
	}
	if id := p.Text("session_id"); id != "" && !relay.Placeholder(id) {
		return id
	}
	return canonical.MadeID(e)
}

// clientID is ClientID of the fields that may leave: only the browser's real id joins the event to GA4's data of the person.
func clientID(e relay.Event, f *canonical.Fields) string {
	if id := f.Identifier(browserID, canonical.Spellings("ga_client_id")...); id != "" {
		return id
	}
	if id := f.Identifier(nil, "session_id"); id != "" {
		return id
	}
	return canonical.MadeID(e)
}

// browserID is GA4's client id, from itself or from the cookie _ga, which is "GA1.x.<client id>"; "" for a placeholder.
func browserID(s string) string {
	if parts := strings.SplitN(s, ".", 3); len(parts) == 3 && strings.HasPrefix(s, "GA") {
		s = parts[2]
	}
	if relay.Placeholder(s) || isCookieOfSession(s) {
		return ""
	}
	return s
}

var (
	// gaSession is GA4's own session number: the second in which the session began.
	gaSession = regexp.MustCompile(`^\d{9,11}$`)
	// sessionCookie is the cookie _ga_<stream>: "GS1.1.<session>.<number>..." or "GS2.1.s<session>$o<number>$...".
	sessionCookie = regexp.MustCompile(`^GS(?:1\.\d+\.|2\.\d+\.(?:[a-rt-z]\d*\$)*s)(\d{9,11})(?:[.$]|$)`)
)

func isCookieOfSession(s string) bool {
	return strings.HasPrefix(s, "GS1.") || strings.HasPrefix(s, "GS2.")
}

// sessionNumber is GA4's session number, from itself or from the cookie; "" for any other session's id, which would join the
// event to a session that does not exist.
func sessionNumber(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		s = plain
	}
	if m := sessionCookie.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return gaSession.FindString(s)
}

// sessionFields are the payload fields that may hold GA4's session: the cookie of the event's stream, or the
// only such cookie.
func sessionFields(d relay.Destination, p relay.Payload) []string {
	const prefix = "_ga_"
	names := []string{"ga_session_id", prefix + strings.TrimPrefix(d.Settings["measurement_id"], "G-")}
	var cookies []string
	for name := range p {
		if strings.HasPrefix(name, prefix) && sessionNumber(p.Text(name)) != "" {
			cookies = append(cookies, name)
		}
	}
	if len(cookies) == 1 {
		names = append(names, cookies[0])
	}
	return append(names, "session_id")
}
