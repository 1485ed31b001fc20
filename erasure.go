package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// ErasureKind says what an erasure looks for.
type ErasureKind string

// The kinds of erasures. An order's events are found by an index; a person's by looking through all payloads.
const (
	EraseOrder      ErasureKind = "order"
	EraseExternalID ErasureKind = "external_id"
)

// ErasureState is where an erasure stands.
type ErasureState string

// The states of an erasure.
const (
	ErasureRunning ErasureState = "running"
	ErasureDone    ErasureState = "done"
)

// Erasure is one wish to erase what is stored of an order or a person.
type Erasure struct {
	ID           int64
	Kind         ErasureKind
	State        ErasureState
	Subject      Secret // what to look for; gone once it is done
	Hash         string // Erased of it
	StorefrontID int64  // 0 is all
	By           string
	CreatedAt    time.Time
	EndedAt      time.Time // zero while it runs

	Total   int64 // events to look through, as counted when it began
	Scanned int64 // of those: looked at
	Matched int64 // of those: to be erased
	Erased  int64 // of those: erased, with their attempts and their workflows
	Walked  bool  // everything has been looked at
}

// EventState is where an event stands that is to be erased.
type EventState struct {
	ID     int64
	Status Status
	Run    string // the run that delivers, or delivered, it
	Erased bool
	// Settled is an event whose end lies so long ago that no try of it can be under way any more.
	Settled bool
}

// erasedPrefix begins what stands in the place of an erased id.
const erasedPrefix = "erased:"

// Erased is what takes the place of an id that is erased: always the same for the same id, so that the id is recognised when it
// comes again. Trailing spaces do not count, as in the database.
func Erased(id string) string {
	sum := sha256.Sum256([]byte(erasedPrefix + strings.TrimRight(id, " ")))
	return erasedPrefix + hex.EncodeToString(sum[:])
}

// externalIDs are the payload's fields that hold the shop's own id of a person.
var externalIDs = []string{"external_id", "user_id", "customer_id"}

// ExternalIDForms are the texts as which a payload may hold an external id, in lower case: plain, and its SHA-256.
func ExternalIDForms(id string) []string {
	id = strings.ToLower(strings.TrimSpace(id))
	sum := sha256.Sum256([]byte(id))
	return []string{id, hex.EncodeToString(sum[:])}
}

// HasExternalID reports whether the payload is of the person with this external id.
func (p Payload) HasExternalID(id string) bool {
	forms := ExternalIDForms(id)
	for _, field := range externalIDs {
		if text := strings.ToLower(p.Text(field)); text != "" && slices.Contains(forms, text) {
			return true
		}
	}
	return false
}
