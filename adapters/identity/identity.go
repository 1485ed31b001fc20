// Package identity normalises and hashes the identifiers of a person for the ad platforms. It knows no
// platform; the only way to a hash leads through a cleaner.
//
// Each cleaner returns "" for nonsense, and is idempotent (apart from the phone number's digits, which have lost their "+").
// The rules are the strictest common form of Meta's, TikTok's, Snapchat's and Pinterest's, so that one value has one hash: names and
// cities without white space and punctuation but with their accents, US zips of five digits, states and countries as two letters.
//
// Sources: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters,
// npm capi-param-builder-nodejs 1.3.2 (Meta's own normaliser), https://developers.snap.com/api/marketing-api/Conversions-API/Parameters,
// https://developers.pinterest.com/docs/track-conversions/track-conversions-in-the-api/.
package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"relay/internal/relay"
)

// ofNothing is the hash of "". A platform that receives it takes different people for one person.
const ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Hash is the SHA-256 of a normalised string in lower-case hex, and "" of "".
func Hash(normalised string) string {
	if normalised == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(normalised))
	return hex.EncodeToString(sum[:])
}

// Hashed reports whether raw has been hashed already: 64 hex digits around which there is nothing but white space. It
// returns them in lower case, and "" for the hash of "".
func Hashed(raw string) (string, bool) {
	s := strings.ToLower(strings.TrimSpace(raw))
	if len(s) != hex.EncodedLen(sha256.Size) || strings.Trim(s, "0123456789abcdef") != "" {
		return "", false
	}
	if s == ofNothing || strings.Trim(s, s[:1]) == "" || placeholderHashes()[s] {
		s = ""
	}
	return s, true
}

// placeholderHashes are the hashes of placeholders, which shops that hash send as if they were people.
var placeholderHashes = sync.OnceValue(func() map[string]bool {
	hashes := map[string]bool{}
	for _, word := range append(relay.Placeholders(), "n/a", "(not set)", "not set", "-", "0", "none@none.com", "test@test.com",
		"noemail@noemail.com", "guest@guest.com", "0000000000", "1111111111", "1234567890", "+10000000000", "10000000000") {
		hashes[Hash(word)] = true
	}
	return hashes
})

// Digest returns the hash of the cleaned text, or raw itself if it is a hash already; "" for nonsense.
func Digest(raw string, clean func(string) string) string {
	if hash, ok := Hashed(raw); ok {
		return hash
	}
	return Hash(clean(raw))
}

// Plain returns the cleaned text, for the few fields that leave unhashed; "" if raw is a hash already.
func Plain(raw string, clean func(string) string) string {
	if _, ok := Hashed(raw); ok {
		return ""
	}
	return clean(raw)
}
