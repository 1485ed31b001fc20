package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"relay/api"
	"relay/internal/relay"
)

// guarded is an API with one hashed admin, one plain one, and small limits.
type guarded struct{ *relayed }

func newGuarded(t testing.TB, cost int, options ...func(*api.Config)) guarded {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(anna[1]), cost)
	require.NoError(t, err)
	return guarded{newTest(t, func(cfg *api.Config, _ *relayed) {
		cfg.Admins = []api.AdminLogin{{Name: anna[0], Hash: string(hash)}, {Name: rita[0], Password: relay.NewSecret(rita[1])}}
		cfg.Logins = api.LoginLimits{PerAccount: 3, PerAddress: 6, Window: time.Minute}
		for _, o := range options {
			o(cfg)
		}
	})}
}

// login asks for a page that admins alone see; 200 is a login that was taken.
func (g guarded) login(address, name, password string) *httptest.ResponseRecorder {
	return g.at("/health/ready?verbose", address, name, password)
}

func (g guarded) at(path, address, name, password string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.RemoteAddr = address
	if strings.HasPrefix(path, "/v1") {
		req = httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"data":[]}`))
		req.RemoteAddr = address
	}
	req.SetBasicAuth(name, password)
	return g.do(req)
}

const (
	evil  = "198.51.100.1:1000"
	evil2 = "198.51.100.2:1000"
	home  = "192.0.2.7:2000"
)

func TestFailedLoginsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, bcrypt.MinCost)
		for n := range 6 {
			require.Equal(t, http.StatusUnauthorized, g.login(evil, fmt.Sprint("name", n), "guess").Code)
		}
		w := g.login(evil, "another", "guess")
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Contains(t, w.Body.String(), "too_many_logins")
		wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
		require.NoError(t, err)
		require.Equal(t, 10, wait, "a sixth of the window frees one of six")
		require.Equal(t, http.StatusTooManyRequests, g.login(evil, anna[0], anna[1]).Code, "a right guess is not looked at either")
		require.Equal(t, http.StatusTooManyRequests, g.at("/v1/events", evil, "oms", "guess").Code, "the same count holds for OMS's routes")
		require.Equal(t, http.StatusOK, g.login(home, anna[0], anna[1]).Code, "another address is not meant")
		time.Sleep(time.Duration(wait) * time.Second)
		require.Equal(t, http.StatusOK, g.login(evil, anna[0], anna[1]).Code)
	})
}

func TestFailedLoginsAreLimitedByAccountWithoutLockingItsOwnerOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, bcrypt.MinCost)
		for n := range 3 {
			require.Equal(t, http.StatusUnauthorized, g.login(fmt.Sprintf("198.51.100.%d:1", n), anna[0], "guess").Code)
		}
		require.Equal(t, http.StatusTooManyRequests, g.login("198.51.100.1:1", anna[0], "guess").Code)
		require.Equal(t, http.StatusUnauthorized, g.login("198.51.100.9:1", anna[0], "guess").Code, "an address has one guess left")
		require.Equal(t, http.StatusTooManyRequests, g.login("198.51.100.9:1", anna[0], anna[1]).Code)
		require.Equal(t, http.StatusOK, g.login(home, anna[0], anna[1]).Code, "the owner comes from an address without failures")
		require.Equal(t, http.StatusUnauthorized, g.login("198.51.100.1:1", "other", "guess").Code, "other accounts are not meant")
	})
}

func TestALoginThatHasSucceededGoesOnWhateverElseFailsAtItsAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, bcrypt.MinCost)
		for _, admin := range [][2]string{anna, rita} {
			require.Equal(t, http.StatusOK, g.login(home, admin[0], admin[1]).Code)
		}
		for range 100 {
			g.login(home, anna[0], "guess")
			g.login(home, rita[0], "guess")
			g.at("/v1/events", home, user, "guess")
		}
		require.Equal(t, http.StatusTooManyRequests, g.login(home, anna[0], "guess").Code)
		for _, admin := range [][2]string{anna, rita} {
			require.Equal(t, http.StatusOK, g.login(home, admin[0], admin[1]).Code)
		}
		require.Equal(t, http.StatusAccepted, g.at("/v1/events", home, user, password).Code, "OMS is never kept out")
		require.Equal(t, http.StatusAccepted, g.at("/v1/events", evil, user, password).Code)
	})
}

func TestAnAdminOnTheRoutesOfOMSDoesNotCountAsAFailedLogin(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, bcrypt.MinCost)
	require.Equal(t, http.StatusOK, g.login(home, anna[0], anna[1]).Code)
	for range 20 {
		require.Equal(t, http.StatusUnauthorized, g.at("/v1/events", home, anna[0], anna[1]).Code)
		require.Equal(t, http.StatusUnauthorized, g.at("/v1/events", home, rita[0], rita[1]).Code)
		require.Equal(t, http.StatusUnauthorized, g.do(httptest.NewRequest(http.MethodGet, "/health/ready?verbose", nil)).Code, "no login is no guess")
	}
	require.Equal(t, http.StatusUnauthorized, g.login(home, "new", "guess").Code)
}

func TestTheAddressIsTheClientsBehindTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	ask := func(g guarded, remote, forwarded string) int {
		req := httptest.NewRequest(http.MethodGet, "/health/ready?verbose", nil)
		req.RemoteAddr = remote
		req.Header.Set("X-Forwarded-For", forwarded)
		req.SetBasicAuth("x", "guess")
		return g.do(req).Code
	}
	trusting := newGuarded(t, bcrypt.MinCost, func(cfg *api.Config) { cfg.Proxies = []string{"10.0.0.0/8"} })
	for n := range 20 {
		forwarded := fmt.Sprintf("198.51.100.%d", n)
		require.Equal(t, http.StatusUnauthorized, ask(trusting, "10.1.1.1:9", forwarded), "each client has its own count")
	}
	blind := newGuarded(t, bcrypt.MinCost)
	codes := map[int]int{}
	for n := range 20 {
		codes[ask(blind, evil, fmt.Sprintf("203.0.113.%d", n))]++
	}
	require.Positive(t, codes[http.StatusTooManyRequests], "a header that anybody can send is not believed")
	sixes := newGuarded(t, bcrypt.MinCost)
	codes = map[int]int{}
	for n := range 20 {
		codes[sixes.login(fmt.Sprintf("[2001:db8:1:2::%x]:7", n+1), fmt.Sprint(n), "guess").Code]++
	}
	require.Equal(t, map[int]int{401: 6, 429: 14}, codes, "one client has a whole /64")
}

// TestARightLoginDoesNotWaitBehindWrongOnes is about bcrypt's queue: 300 connections that guess.
func TestARightLoginDoesNotWaitBehindWrongOnes(t *testing.T) {
	// Not parallel: it measures a time while bcrypt keeps all processors busy.
	g := newGuarded(t, bcrypt.DefaultCost, func(cfg *api.Config) {
		cfg.Logins = api.LoginLimits{PerAccount: 1 << 20, PerAddress: 1 << 20, Window: time.Minute}
	})
	began := time.Now()
	_, err := bcrypt.GenerateFromPassword([]byte("as long as one comparison"), bcrypt.DefaultCost)
	require.NoError(t, err)
	comparison := time.Since(began)
	var stop atomic.Bool
	var flood sync.WaitGroup
	var busy atomic.Int64
	for n := range 300 {
		flood.Go(func() {
			for guess := 0; !stop.Load(); guess++ {
				switch g.login(evil, fmt.Sprint("name", n), fmt.Sprint("guess", guess)).Code {
				case http.StatusTooManyRequests:
					busy.Add(1)
					time.Sleep(10 * time.Millisecond)
				case http.StatusUnauthorized:
				default:
					panic("a guess was taken")
				}
			}
		})
	}
	require.Eventually(t, func() bool { return busy.Load() > 300 }, time.Minute, time.Millisecond)
	began = time.Now()
	var many sync.WaitGroup
	for range 6 { // a browser opens several connections
		many.Go(func() {
			if code := g.login(home, anna[0], anna[1]).Code; code != http.StatusOK {
				panic(code)
			}
		})
	}
	many.Wait()
	// Behind all wrong ones it would be 150 on two processors. Each takes longer here, where the flood runs in this process, too.
	require.Less(t, time.Since(began), 75*comparison)
	stop.Store(true)
	flood.Wait()
}

// TestBcryptNeverSeesMoreThanItReads sends passwords that begin with the right one: bcrypt ignores what follows 72 bytes.
func TestBcryptNeverSeesMoreThanItReads(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 72)
	hash, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	require.NoError(t, err)
	g := guarded{newTest(t, func(cfg *api.Config, _ *relayed) {
		cfg.Admins = []api.AdminLogin{{Name: anna[0], Hash: string(hash)}}
	})}
	require.Equal(t, http.StatusUnauthorized, g.login(home, anna[0], long+"x").Code)
	require.Equal(t, http.StatusUnauthorized, g.login(home, anna[0], long[:71]).Code)
	require.Equal(t, http.StatusOK, g.login(home, anna[0], long).Code)
	require.Equal(t, http.StatusUnauthorized, g.login(home, anna[0], long+"x").Code, "also when the right one is remembered")
}

func TestATruncatedHashIsRefused(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	require.NoError(t, err)
	whole := string(hash)
	require.NoError(t, api.CheckHash(whole))
	require.NoError(t, api.CheckHash(strings.Replace(whole, "$2a$04", "$2y$14", 1)))
	for name, bad := range map[string]string{
		"a cut hash":     whole[:59],
		"a longer hash":  whole + "x",
		"72 more bytes":  whole + strings.Repeat("x", 72),
		"a cost of 15":   strings.Replace(whole, "$04$", "$15$", 1),
		"a cost of 3":    strings.Replace(whole, "$04$", "$03$", 1),
		"another letter": whole[:59] + "!",
		"nothing":        "",
	} {
		require.Error(t, api.CheckHash(bad), name)
		require.NotContains(t, api.CheckHash(bad).Error(), whole[20:40])
	}
}
