package adapters_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/outbound"
	"relay/internal/relay"
)

const page = "<!doctype html><title>Bad gateway</title>"

// exchange is one response of a real server, and the outcome that an adapter must return.
type exchange struct {
	respond http.HandlerFunc
	sound   func(t *testing.T, r relay.Request, res relay.Result)
}

func says(status int, header, value, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(header, value)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func is(o relay.Outcome) func(*testing.T, relay.Request, relay.Result) {
	return func(t *testing.T, _ relay.Request, res relay.Result) {
		t.Helper()
		require.Equal(t, o, res.Outcome, "%+v", res)
	}
}

// refuses is any end but accepted, and none that leaves open whether the event arrived.
func refuses(t *testing.T, _ relay.Request, res relay.Result) {
	t.Helper()
	require.Contains(t, []relay.Outcome{relay.Rejected, relay.Unauthorized, relay.Retry}, res.Outcome, "%+v", res)
	require.NotEmpty(t, res.Reason)
}

// retriesIfRepeatable is the outcome of an exchange without a known end.
func retriesIfRepeatable(t *testing.T, r relay.Request, res relay.Result) {
	t.Helper()
	if r.Repeatable {
		require.Equal(t, relay.Retry, res.Outcome, "%+v", res)
		return
	}
	require.Equal(t, relay.Unknown, res.Outcome, "%+v", res)
}

func retriesIn(d time.Duration) func(*testing.T, relay.Request, relay.Result) {
	return func(t *testing.T, _ relay.Request, res relay.Result) {
		t.Helper()
		require.Equal(t, relay.Retry, res.Outcome, "%+v", res)
		require.Equal(t, d, res.RetryAfter)
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

func wait(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// ownWords are exchanges of which an adapter makes something else than the platforms do: a webhook's receiver may answer 2xx with any
// body, and says 410 where it is gone for good. LinkedIn's 501 is final. Klaviyo's 410 is a retired revision of the
// API.
var ownWords = map[string]map[string]func(*testing.T, relay.Request, relay.Result){
	"webhook":  {"200 with a web page": is(relay.Accepted), "410": is(relay.Unauthorized)},
	"linkedin": {"501": is(relay.Rejected)},
	"reddit":   {"410": is(relay.Unauthorized)}, // a retired version
	"klaviyo":  {"410": is(relay.Unauthorized)},
}

func exchanges(accepted relay.Response) map[string]exchange {
	all := map[string]exchange{
		"the platform's own acceptance": {func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range accepted.Header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(accepted.Status)
			_, _ = w.Write(accepted.Body)
		}, func(t *testing.T, _ relay.Request, res relay.Result) {
			t.Helper()
			require.Equal(t, relay.Accepted, res.Outcome, "testdata/accepted.reply.json must hold the platform's acceptance: %+v", res)
		}},
		"429 with seconds to wait":                {says(429, "Retry-After", "7", ""), retriesIn(7 * time.Second)},
		"503 with seconds to wait":                {says(503, "Retry-After", "120", "{}"), retriesIn(2 * time.Minute)},
		"429 without":                             {says(429, "X-Nothing", "", "{}"), is(relay.Retry)},
		"502 with a web page":                     {says(502, "Content-Type", "text/html", page), is(relay.Retry)},
		"200 with a web page":                     {says(200, "Content-Type", "text/html", page), refuses},
		"403 with a web page":                     {says(403, "Content-Type", "text/html", page), refuses},
		"a redirect":                              {says(307, "Location", "https://example.com/", ""), is(relay.Rejected)},
		"no response in time":                     {wait, retriesIfRepeatable},
		"a connection closed before the response": {hangUp, retriesIfRepeatable},
		"a response that is not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n")
				_ = c.Close()
			}
		}, retriesIfRepeatable},
	}
	for _, status := range []int{500, 501, 502, 503, 504, 408, 425} {
		all[fmt.Sprint(status)] = exchange{says(status, "X-Nothing", "", ""), is(relay.Retry)}
	}
	for _, status := range []int{400, 405, 410, 413, 415, 422} {
		all[fmt.Sprint(status)] = exchange{says(status, "X-Nothing", "", "{}"), is(relay.Rejected)}
	}
	for _, status := range []int{401, 403} {
		all[fmt.Sprint(status)] = exchange{says(status, "X-Nothing", "", "{}"), is(relay.Unauthorized)}
	}
	all["404"] = exchange{says(404, "X-Nothing", "", "{}"), refuses} // of an account, at some
	return all
}

func TestAdaptersClassifyTheExchangesOfRealServers(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, key string, a relay.Adapter, cases []adaptertest.Case) {
		client := outbound.New(outbound.Config{AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 300 * time.Millisecond})
		t.Cleanup(client.Close)
		for name, e := range exchanges(adaptertest.Accepted(t, testdata(key))) {
			if own := ownWords[key][name]; own != nil {
				e.sound = own
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := httptest.NewServer(e.respond)
				t.Cleanup(s.Close)
				for _, r := range sendables(t, a, cases) {
					r.URL = at(t, s.URL, r.URL)
					if r.Auth.TokenURL != "" { // the vendor's own; outbound has the tests of tokens
						r.Auth = relay.Auth{}
					}
					reply := client.Send(t.Context(), r)
					res := a.Outcome(reply)
					e.sound(t, r, res)
					require.Equal(t, reply.Status, res.Status)
					require.NotContains(t, fmt.Sprintf("%+v %+v", reply, res), mark)
				}
			})
		}
	})
}

func TestAdaptersRetryOrRejectARequestThatNeverLeft(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, _ []adaptertest.Case) {
		for _, repeatable := range []bool{true, false} {
			require.Equal(t, relay.Retry, a.Outcome(relay.Response{TransportError: relay.TransportConnect, Repeatable: repeatable}).Outcome)
			refused := a.Outcome(relay.Response{TransportError: relay.TransportAddress, Repeatable: repeatable})
			require.Equal(t, relay.Rejected, refused.Outcome)
			require.Equal(t, relay.ReasonAddressRefused, refused.Reason)
		}
	})
}

// Whatever a body holds, an adapter does not panic, accepts nothing but a success, and repeats nothing of the vendor's text,
// which may echo the event or the credential.
func TestAdaptersSurviveAnyResponse(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, key string, a relay.Adapter, cases []adaptertest.Case) {
		echo := string(sendables(t, a, cases)[0].Body)
		yes := string(adaptertest.Accepted(t, testdata(key)).Body)
		bodies := []string{yes, "", " ", "{}", "[]", "null", "0", `"x"`, "{", "{}{}", "\xff\xfe", page, strings.Repeat("[", 60_000), echo}
		for _, field := range []string{"error", "errors", "code", "message", "messages", "status", "reason", "data", "events", "event", "num_events_processed", "events_received"} {
			for _, value := range []string{"null", `""`, "0", "-1", "1e999", "true", "[]", "{}", `[null,{"code":"x","message":null}]`,
				`{"code":"190","type":[],"message":{}}`, `"token ` + mark + `echoed for jane.roe@example.net"`,
				`{"code":1,"message":"token ` + mark + `echoed for jane.roe@example.net","type":"` + mark + `"}`} {
				bodies = append(bodies, `{"`+field+`":`+value+`}`)
			}
		}
		for _, status := range []int{200, 201, 204, 206, 302, 400, 401, 403, 404, 422, 429, 500, 503, 599, 999, 100, 0} {
			for _, body := range bodies {
				if body == yes && status/100 == 4 {
					continue // a body may overrule the status
				}
				for _, trouble := range []relay.TransportError{relay.NoTransportError, relay.TransportCut, relay.TransportTimeout} {
					reply := relay.Response{Sent: true, Status: status, Body: []byte(body), TransportError: trouble, Repeatable: true}
					if key == "webhook" && body == page {
						continue // a receiver may have one
					}
					if res := a.Outcome(reply); broken(reply, res) != "" {
						require.Fail(t, broken(reply, res), "%d %.200q %s: %+v", reply.Status, reply.Body, reply.TransportError, res)
					}
				}
			}
		}
	})
}

// broken is the rule that a result breaks; "" for none.
func broken(reply relay.Response, res relay.Result) string {
	shown := fmt.Sprintf("%+v", res)
	switch {
	case !slices.Contains([]relay.Outcome{relay.Accepted, relay.Retry, relay.Rejected, relay.Unauthorized, relay.Unknown}, res.Outcome):
		return "an outcome that no exchange has"
	case res.Status != reply.Status:
		return "another status"
	case (res.Outcome == relay.Accepted) != (res.Reason == ""):
		return "a reason belongs to a failure"
	case strings.Contains(shown, mark) || strings.Contains(shown, "jane.roe"):
		return "the vendor's text is repeated"
	case res.Outcome == relay.Accepted && (reply.Status < 200 || reply.Status >= 300 || string(reply.Body) == page):
		return "accepts what is no success"
	case res.Outcome != relay.Retry && (reply.Status == 429 || reply.Status >= 500):
		return "does not retry"
	}
	return ""
}

// sendables are the requests of the first case that sends one, and of the first whose copies the vendor treats otherwise.
func sendables(t *testing.T, a relay.Adapter, cases []adaptertest.Case) []relay.Request {
	t.Helper()
	var found []relay.Request
	for _, c := range cases {
		r, err := a.Request(c.Destination, c.Event)
		if err == nil && !slices.ContainsFunc(found, func(f relay.Request) bool { return f.Repeatable == r.Repeatable }) {
			found = append(found, r.For(c.Destination))
		}
	}
	require.NotEmpty(t, found, "no case that sends")
	return found
}

// at is the same URL at another server.
func at(t *testing.T, server, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	s, err := url.Parse(server)
	require.NoError(t, err)
	u.Scheme, u.Host = s.Scheme, s.Host
	return u.String()
}
