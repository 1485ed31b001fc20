// Package vendors simulates the APIs of the platforms: it checks the form of a request and
// accepts or rejects it in the platform's own format. It follows the platforms' documentation and not the adapters,
// so that a mistake there is a rejection here.
package vendors

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"relay/deploy/sandbox"
)

// Prefix is the path of the platforms, each below it under its code in the catalogue: the base URL of a platform is
// the sandbox's address, Prefix and the code.
const Prefix = "/vendors/"

// RevokedToken is a token that a simulated platform refuses as its API refuses one that was revoked.
const RevokedToken = "token-that-was-revoked"

// platforms holds the simulated platforms by their code in the catalogue.
var platforms = map[string]func(*http.Request, []byte) sandbox.Answer{
	"meta_capi": meta,
	"ga4":       ga4,
	"tiktok":    tiktok,
	"snapchat":  snapchat,
	"pinterest": pinterest,
	"webhook":   webhook,

	"microsoft_ads": microsoft,
	"linkedin":      linkedin,
	"reddit":        reddit,
	"google_ads":    google,
	"segment":       segment,
	"rudderstack":   rudderstack,

	"klaviyo":     klaviyo,
	"customer_io": customerIO,
	"mixpanel":    mixpanel,
	"amplitude":   amplitude,
}

// Codes returns the codes of the simulated platforms, in order.
func Codes() []string { return slices.Sorted(maps.Keys(platforms)) }

// Play returns the response to a delivery; false if the path belongs to no platform.
func Play(r *http.Request, body []byte) (sandbox.Answer, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok {
		return sandbox.Answer{}, false
	}
	code, _, _ := strings.Cut(rest, "/")
	play, ok := platforms[code]
	if !ok {
		return sandbox.Answer{}, false
	}
	return play(r, body), true
}

func answer(status int, body any) sandbox.Answer {
	b, _ := json.Marshal(body) // maps of plain values always marshal
	return sandbox.Answer{Status: status, Body: string(b), Headers: map[string]string{"Content-Type": "application/json"}}
}

type object = map[string]any

// read decodes a body and keeps numbers as they are written. With closed, an unknown member is an error.
func read(body []byte, into any, closed bool) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if closed {
		dec.DisallowUnknownFields()
	}
	return dec.Decode(into)
}

// recent reports whether a time in seconds is within the last week, or at most a minute in the future.
func recent(n json.Number) bool {
	seconds, err := n.Int64()
	age := time.Since(time.Unix(seconds, 0))
	return err == nil && age < 7*24*time.Hour && age > -time.Minute
}

// hashes reports whether each of these fields that is present is SHA-256 in hex, alone or in a list.
func hashes(user object, fields ...string) bool {
	for _, f := range fields {
		switch v := user[f].(type) {
		case nil:
		case string:
			if !isHash(v) {
				return false
			}
		case []any:
			for _, one := range v {
				if s, ok := one.(string); !ok || !isHash(s) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
