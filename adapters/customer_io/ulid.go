package customerio

import (
	"encoding/hex"
	"math/big"
	"strings"
	"time"
)

// crockford is the alphabet of a ULID, and base32 that of math/big.
const (
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	base32    = "0123456789abcdefghijklmnopqrstuv"
)

// ulid is 48 bits of a time in milliseconds and 80 bits of an event's id in hex. Unlike other ULIDs it has no clock and no chance in
// it: every copy of an event has the same.
func ulid(at time.Time, id string) string {
	n := new(big.Int).SetInt64(at.UnixMilli() & (1<<48 - 1))
	chance, _ := hex.DecodeString(id[:20]) // the relay's own hash
	n.Or(n.Lsh(n, 80), new(big.Int).SetBytes(chance))
	digits := strings.Map(func(r rune) rune { return rune(crockford[strings.IndexRune(base32, r)]) }, n.Text(32))
	return strings.Repeat("0", 26-len(digits)) + digits
}
