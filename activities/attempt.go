package activities

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"relay/internal/relay"
)

// newAttempt is the record of this try, under an id that is random and made in the execution that sends: a repeated
// execution is another attempt, with a row of its own.
func (t *try) newAttempt(number int) relay.Attempt {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return relay.Attempt{
		AttemptID:   hex.EncodeToString(id[:]),
		EventID:     t.in.ID,
		Generation:  t.delivery.Generation,
		Destination: t.in.Destination,
		Number:      number,
		StartedAt:   time.Now().UTC(),
		Result:      relay.Result{Outcome: relay.Sending},
	}
}

// describe puts what leaves on record, as far as it is known to be harmless: no header values, no query values.
func describe(a *relay.Attempt, r relay.Request) {
	sum := sha256.Sum256(r.Body)
	a.Method = r.Method
	a.URL = relay.RedactURL(r.URL)
	a.HeaderNames = slices.Sorted(maps.Keys(r.Header))
	a.Body = relay.RedactBody(r.Body)
	a.BodySHA256 = hex.EncodeToString(sum[:])
	a.AdapterVersion = r.Version
	a.Dropped = relay.RedactNames(r.Dropped)
	a.Warnings = r.Warnings
}
