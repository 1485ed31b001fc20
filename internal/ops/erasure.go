package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

// ErasureKind is the kind of subject that an erasure looks for.
type ErasureKind string

// The kinds of erasures. An order's events are found by an index; a person's by looking through all payloads.
const (
	EraseOrder      ErasureKind = "order"
	EraseExternalID ErasureKind = "external_id"
)

// ErasureState is the state of an erasure.
type ErasureState string

// The states of an erasure.
const (
	ErasureRunning ErasureState = "running"
	ErasureDone    ErasureState = "done"
)

// Erasure is a request to erase the stored data of an order or a person.
type Erasure struct {
	ID           int64
	Kind         ErasureKind
	State        ErasureState
	Subject      relay.Secret // removed when the erasure is done
	Hash         string       // Erased of it
	StorefrontID int64        // 0 is all
	By           string
	CreatedAt    time.Time
	EndedAt      time.Time // zero while it runs

	Total   int64 // events to look through, as counted when it began
	Scanned int64 // of those: looked at
	Matched int64 // of those: to be erased
	Erased  int64 // of those: erased, with their attempts and their workflows
	Walked  bool  // everything has been looked at
}

// ErasureQuery asks for one page of erasures, newest first. Zero fields ask for everything.
type ErasureQuery struct {
	State  ErasureState
	Before int64 // the id at which the page before ended; 0 is the newest
	Limit  int
}

// EventState is the state of an event that is to be erased.
type EventState struct {
	ID     int64
	Status relay.Status
	Run    string // the run that delivers, or delivered, it
	Erased bool
	// Settled reports that the event ended so long ago that none of its attempts can still be running.
	Settled bool
}

// erasedPrefix begins the replacement of an erased id.
const erasedPrefix = "erased:"

// Erased returns the replacement of an erased id: always the same for the same id, so that the id is recognised when it is sent
// again. Trailing spaces do not count, as in the database.
func Erased(id string) string {
	sum := sha256.Sum256([]byte(erasedPrefix + strings.TrimRight(id, " ")))
	return erasedPrefix + hex.EncodeToString(sum[:])
}

// ExternalIDForms are the texts as which a payload may hold an external id, in lower case: plain, and its SHA-256.
func ExternalIDForms(id string) []string {
	id = strings.ToLower(strings.TrimSpace(id))
	sum := sha256.Sum256([]byte(id))
	return []string{id, hex.EncodeToString(sum[:])}
}

// externalIDs are the payload's fields that hold the shop's own id of a person, folded.
var externalIDs = []string{"externalid", "userid", "customerid"}

// personal are words in the names of objects that describe a person: user_data, customer, patientProfile. Others, items for
// one, have ids of their own.
var personal = []string{"user", "customer", "person", "patient", "member", "contact", "shopper", "profile", "identity", "traits"}

// HasExternalID reports whether a payload is of the person with this external id: in a field of its own or of an object that
// describes a person. A payload that is not JSON, which no destination receives, matches if it contains the id in quotes.
func HasExternalID(payload []byte, id string) bool {
	forms := ExternalIDForms(id)
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		text := strings.ToLower(string(payload))
		return slices.ContainsFunc(forms, func(f string) bool { return strings.Contains(text, `"`+f+`"`) })
	}
	return namesPerson(v, forms)
}

func namesPerson(v any, forms []string) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			name = relay.FoldName(name)
			if slices.Contains(externalIDs, name) && isOneOf(inner, forms) ||
				slices.ContainsFunc(personal, func(p string) bool { return strings.Contains(name, p) }) && namesPerson(inner, forms) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return namesPerson(inner, forms) })
	}
	return false
}

// isOneOf looks at a text or a number, or a list of them, as vendors take several ids.
func isOneOf(v any, forms []string) bool {
	switch v := v.(type) {
	case string:
		return slices.Contains(forms, strings.ToLower(strings.TrimSpace(v)))
	case json.Number:
		return slices.Contains(forms, strings.ToLower(v.String()))
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return isOneOf(inner, forms) })
	}
	return false
}
