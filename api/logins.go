package api

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of the memory for failed logins. When a table is full, an entry of it is forgotten.
const (
	maxAddresses = 10_000
	maxAccounts  = 10_000
	maxProved    = 1_000
)

type accountKey = [sha256.Size]byte

// guesses limits failed logins. An address with too many failures is blocked. An account with too many is blocked for every
// address that has failed within the window itself: an attack on an account does not lock out its owner, who uses
// elsewhere. A login that has succeeded from an address before needs no further proof there, whatever else fails: admins
// often share a proxy's address with everybody else.
type guesses struct {
	limits LoginLimits

	mu        sync.Mutex
	accounts  map[accountKey]bucket // of any name, so that the responses do not disclose which accounts exist
	addresses map[string]bucket
	trusted   map[proof]struct{}
}

type proof struct {
	account accountKey
	address string
}

// bucket leaks: its level falls to nothing within the window.
type bucket struct {
	level float64
	at    time.Time // of the last failure
}

func newGuesses(cfg Config) *guesses {
	return &guesses{limits: cfg.Logins, accounts: map[accountKey]bucket{}, addresses: map[string]bucket{}, trusted: map[proof]struct{}{}}
}

// level is a bucket's, now.
func (g *guesses) level(b bucket, limit int) float64 {
	return max(0, b.level-time.Since(b.at).Seconds()*g.rate(limit))
}

// rate is how many failures a second are forgiven.
func (g *guesses) rate(limit int) float64 { return float64(limit) / g.limits.Window.Seconds() }

// excess is how long a bucket is at its limit.
func (g *guesses) excess(b bucket, limit int) time.Duration {
	over := g.level(b, limit) - float64(limit) + 1
	if over <= 0 {
		return 0
	}
	return time.Duration(over / g.rate(limit) * float64(time.Second))
}

// blocked is how long an account may not log in from an address; zero where it may.
func (g *guesses) blocked(account accountKey, address string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.addresses[address]
	if wait := g.excess(at, g.limits.PerAddress); wait > 0 {
		return wait
	}
	if at.at.IsZero() || time.Since(at.at) > g.limits.Window {
		return 0
	}
	return g.excess(g.accounts[account], g.limits.PerAccount)
}

// failed counts a wrong login.
func (g *guesses) failed(account accountKey, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	makeRoom(g.accounts, account, maxAccounts)
	g.accounts[account] = bucket{g.level(g.accounts[account], g.limits.PerAccount) + 1, now}
	makeRoom(g.addresses, address, maxAddresses)
	g.addresses[address] = bucket{g.level(g.addresses[address], g.limits.PerAddress) + 1, now}
}

// proved notes that an account has logged in from an address.
func (g *guesses) proved(account accountKey, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := proof{account, address}
	makeRoom(g.trusted, p, maxProved)
	g.trusted[p] = struct{}{}
}

// trusts reports whether an account has logged in from an address before.
func (g *guesses) trusts(account accountKey, address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.trusted[proof{account, address}]
	return ok
}

// makeRoom forgets an entry, whichever, where a new one would be too many.
func makeRoom[K comparable, V any](m map[K]V, key K, most int) {
	if _, ok := m[key]; ok || len(m) < most {
		return
	}
	for k := range m {
		delete(m, k)
		return
	}
}

// clientAddress is the client's address: behind the proxies of TRUSTED_PROXIES that of X-Forwarded-For. One client
// commonly has a whole /64 of IPv6.
func clientAddress(c *gin.Context) string {
	text := c.ClientIP()
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	net, _ := ip.Prefix(64) // 64 is within every IPv6 address
	return net.String()
}

// Bounds of the queue for bcrypt, which takes a tenth of a second or more of a processor.
const (
	verifySlots      = 2 // at once, so that a flood of wrong passwords leaves the rest to ingestion
	verifyWaiting    = 16
	verifyPerAddress = 4 // of one address, of which one runs: the other slot is for the others
	verifyPatience   = time.Second
)

// verifier compares passwords with hashes, with a bounded queue. Requests with the same login at the same time share one
// comparison: a browser opens several connections.
type verifier struct {
	slots chan struct{}

	mu        sync.Mutex
	flights   map[accountKey]*flight // by digest of the login
	addresses map[string]*addressQueue
}

// addressQueue holds the waiting comparisons of one address.
type addressQueue struct {
	turn  chan struct{} // holds one
	count int           // waiting or running
}

type flight struct {
	done          chan struct{}
	matches, busy bool
}

func newVerifier() *verifier {
	return &verifier{slots: make(chan struct{}, verifySlots), flights: map[accountKey]*flight{}, addresses: map[string]*addressQueue{}}
}

// verify reports whether the password belongs to the hash, or that there are too many logins at once to find out.
func (v *verifier) verify(digest accountKey, address string, hash []byte, password string) (matches, busy bool) {
	if len(password) > maxPassword {
		return false, false
	}
	v.mu.Lock()
	if f, ok := v.flights[digest]; ok {
		v.mu.Unlock()
		<-f.done
		return f.matches, f.busy
	}
	own := v.addresses[address]
	if own == nil {
		own = &addressQueue{turn: make(chan struct{}, 1)}
	}
	if len(v.flights) >= verifySlots+verifyWaiting || own.count >= verifyPerAddress {
		v.mu.Unlock()
		return false, true
	}
	f := &flight{done: make(chan struct{})}
	v.flights[digest] = f
	v.addresses[address] = own
	own.count++
	v.mu.Unlock()
	f.matches, f.busy = v.compare(own, hash, password)
	v.mu.Lock()
	delete(v.flights, digest)
	if own.count--; own.count == 0 {
		delete(v.addresses, address)
	}
	v.mu.Unlock()
	close(f.done)
	return f.matches, f.busy
}

// compare waits for the address's turn and then for a slot.
func (v *verifier) compare(own *addressQueue, hash []byte, password string) (matches, busy bool) {
	patience := time.NewTimer(verifyPatience)
	defer patience.Stop()
	for _, place := range []chan struct{}{own.turn, v.slots} {
		select {
		case place <- struct{}{}:
			defer func() { <-place }()
		case <-patience.C:
			return false, true
		}
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil, false
}

// maxPassword is where bcrypt cuts: it takes a longer password for its first 72 bytes.
const maxPassword = 72

// Costs of bcrypt that a login may have. Each further one doubles the time; at 14 it is more than a second.
const maxCost = 14

var wholeHash = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)

// CheckHash refuses a text that is not a whole hash of bcrypt, and a cost that takes too long. Its error holds nothing of the hash.
func CheckHash(hash string) error {
	m := wholeHash.FindStringSubmatch(hash)
	if m == nil {
		return errors.New("has no hash of bcrypt (htpasswd -B makes one), or a part of one: it has 60 characters")
	}
	if cost, _ := strconv.Atoi(m[1]); cost < bcrypt.MinCost || cost > maxCost {
		return errors.New("has a hash of a cost that is not between 4 and 14")
	}
	return nil
}
