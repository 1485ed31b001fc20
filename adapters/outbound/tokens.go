package outbound

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"relay/internal/relay"
)

const (
	// renewBefore is the time before a token's expiry at which it is renewed.
	renewBefore = 5 * time.Minute
	// renewAgain is the pause after a failed renewal while the old token is still valid.
	renewAgain = 30 * time.Second
	// unstated is the time for which a token is kept if its service states no expiry.
	unstated = time.Hour
	// maxTokens is the number of credentials above which expired tokens are dropped.
	maxTokens = 1000
)

// tokenKey identifies a credential by a hash, so that the cache is searched without its secrets.
type tokenKey [sha256.Size]byte

// tokens caches the access tokens of a process by credential, in memory only.
type tokens struct {
	mu   sync.Mutex
	list map[tokenKey]*token
}

// token is the access token of one credential.
type token struct {
	value          string
	renewAt, endAt time.Time
	running        *exchange // the exchange in flight; nil is none
}

// exchange is one request for a token. All senders of the credential wait for it.
type exchange struct {
	done    chan struct{}
	granted grant
	failed  *relay.Response
}

// grant is a token as its service issued it.
type grant struct {
	value string
	lasts time.Duration // 0 is unstated
}

// lease is the token of one request.
type lease struct {
	key    tokenKey
	value  string
	cached bool // from an exchange before this request
}

// get returns the credential's token. If there is none, or it expires soon, it makes an exchange; at most one exchange of a
// credential is in flight.
func (t *tokens) get(ctx context.Context, key tokenKey, now func() time.Time, ask func() (grant, *relay.Response)) (lease, *relay.Response) {
	t.mu.Lock()
	one := t.of(key, now())
	if one.value != "" && now().Before(one.renewAt) {
		defer t.mu.Unlock()
		return lease{key, one.value, true}, nil
	}
	x := one.running
	if x == nil {
		x = &exchange{done: make(chan struct{})}
		one.running = x
		go t.run(one, x, now, ask)
	}
	t.mu.Unlock()
	select {
	case <-x.done:
	case <-ctx.Done():
		return lease{}, &relay.Response{TransportError: relay.TransportToken}
	}
	if x.failed == nil {
		return lease{key, x.granted.value, false}, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.failed.TransportError == relay.TransportToken && one.value != "" && now().Before(one.endAt) {
		return lease{key, one.value, true}, nil
	}
	return lease{}, x.failed
}

// of returns the token of a credential, without a value if there was none. Above maxTokens credentials it drops those whose token
// has expired.
func (t *tokens) of(key tokenKey, now time.Time) *token {
	if one := t.list[key]; one != nil {
		return one
	}
	if t.list == nil {
		t.list = map[tokenKey]*token{}
	}
	if len(t.list) >= maxTokens {
		for k, one := range t.list {
			if one.running == nil && now.After(one.endAt) {
				delete(t.list, k)
			}
		}
	}
	one := &token{}
	t.list[key] = one
	return one
}

// run makes the exchange and stores its token.
func (t *tokens) run(one *token, x *exchange, now func() time.Time, ask func() (grant, *relay.Response)) {
	granted, failed := ask()
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(x.done)
	x.granted, x.failed = granted, failed
	one.running = nil
	switch {
	case failed == nil:
		if granted.lasts == 0 {
			granted.lasts = unstated
		}
		one.value, one.endAt = granted.value, now().Add(granted.lasts)
		one.renewAt = one.endAt.Add(-renewBefore)
	case failed.TransportError == relay.TransportToken:
		one.renewAt = now().Add(renewAgain)
		if one.renewAt.After(one.endAt) {
			one.renewAt = one.endAt
		}
	default:
		one.value = "" // the credential is refused, so its old token is no longer used
	}
}

// drop removes a token that the vendor refused. A newer token of the credential stays.
func (t *tokens) drop(l lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.list[l.key]; one != nil && one.value == l.value {
		one.value = ""
	}
}
