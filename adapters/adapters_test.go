package adapters_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/textproto"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/adapters/adaptertest"
	"relay/adapters/sandbox"
	"relay/internal/relay"
)

// folders of the adapters whose name differs from the catalogue's.
var folders = map[string]string{"meta_capi": "meta"}

func testdata(key string) string {
	folder := key
	if f, ok := folders[key]; ok {
		folder = f
	}
	return filepath.Join(folder, "testdata")
}

// forAll runs a test for every adapter that there is, with its cases.
func forAll(t *testing.T, test func(t *testing.T, key string, a relay.Adapter, cases []adaptertest.Case)) {
	t.Helper()
	all := adapters.All()
	all["sandbox"] = sandbox.Adapter{}
	for key, a := range all {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			test(t, key, a, guarded(adaptertest.Load(t, testdata(key)), a))
		})
	}
}

// guarded puts secrets that nothing else looks like in the place of the files' own.
func guarded(cases []adaptertest.Case, a relay.Adapter) []adaptertest.Case {
	for _, c := range cases {
		d := c.Destination
		for name, old := range d.Secrets {
			d.Secrets[name] = relay.NewSecret("s3cret-of-" + strings.NewReplacer(":", "-").Replace(name))
			if a.Check(d) != nil {
				d.Secrets[name] = old
			}
		}
	}
	return cases
}

const mark = "s3cret-of-"

func TestRegistry(t *testing.T) {
	t.Parallel()
	all := adapters.All()
	require.Contains(t, all, relay.SGTM)
	require.NotContains(t, all, "sandbox", "the production binary has none")
	for key, a := range all {
		require.NotNil(t, a, key)
		require.Regexp(t, `^[a-z0-9_]{1,50}$`, key)
	}
	clear(all)
	require.NotEmpty(t, adapters.All(), "the map is the caller's own")
}

func TestRequestIsDeterministic(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		for _, c := range cases {
			payload, destination := fmt.Sprintf("%q", c.Event.Payload), fmt.Sprintf("%q %+v", c.Destination.Settings, c.Destination.Options)
			first, err := a.Request(c.Destination, c.Event)
			for range 10 {
				again, againErr := a.Request(c.Destination, c.Event)
				require.Equal(t, err, againErr, c.Name)
				require.Equal(t, first, again, c.Name)
			}
			require.Equal(t, payload, fmt.Sprintf("%q", c.Event.Payload), "%s: the event is not the adapter's to change", c.Name)
			require.Equal(t, destination, fmt.Sprintf("%q %+v", c.Destination.Settings, c.Destination.Options), c.Name)
		}
	})
}

// ownIDs are the ids by which platforms know an event where that is not the relay's: Google has the order.
var ownIDs = map[string]*regexp.Regexp{"google_ads": regexp.MustCompile(`"transactionId":"[^"]+"`)}

func TestLaterAttemptHasTheSameEventID(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, key string, a relay.Adapter, cases []adaptertest.Case) {
		for _, c := range cases {
			r, err := a.Request(c.Destination, c.Event)
			if err != nil {
				continue
			}
			c.Event.Now = c.Event.Now.Add(15 * time.Minute)
			later, err := a.Request(c.Destination, c.Event)
			require.NoError(t, err, c.Name)
			if own := ownIDs[key]; own != nil {
				require.Regexp(t, own, string(r.Body), c.Name)
				require.Equal(t, own.FindString(string(r.Body)), own.FindString(string(later.Body)), c.Name)
				continue
			}
			for _, body := range [][]byte{r.Body, later.Body} {
				require.Contains(t, string(body), c.Event.DedupID(), c.Name)
			}
		}
	})
}

func TestRequestIsWellFormed(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		sendable := 0
		for _, c := range cases {
			r, err := a.Request(c.Destination, c.Event)
			if err != nil {
				var no *relay.Refusal
				require.ErrorAs(t, err, &no, c.Name)
				require.NotEmpty(t, no.Reason, c.Name)
				require.Empty(t, r.URL, "%s: a refusal comes alone", c.Name)
				continue
			}
			sendable++
			require.NoError(t, a.Check(c.Destination), c.Name)
			u, err := url.Parse(r.URL)
			require.NoError(t, err, c.Name)
			require.NotEmpty(t, u.Host, c.Name)
			require.Nil(t, u.User, c.Name)
			require.Equal(t, "POST", r.Method, c.Name)
			require.True(t, json.Valid(r.Body), c.Name)
			require.NotEmpty(t, r.Version, c.Name)
			require.NotEmpty(t, r.EventName, c.Name)
			require.NotEmpty(t, r.Header["Content-Type"], c.Name)
			for name, value := range r.Header {
				require.Equal(t, textproto.CanonicalMIMEHeaderKey(name), name, c.Name)
				require.NotContains(t, []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"}, name, c.Name)
				require.NotContains(t, value, "\n", c.Name)
			}
			require.True(t, slices.IsSorted(r.Dropped), c.Name)
		}
		require.Positive(t, sendable, "no case that sends")
	})
}

func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		for _, c := range cases {
			r, err := a.Request(c.Destination, c.Event)
			kept := []string{
				relay.RedactURL(r.URL), relay.RedactBody(r.Body), fmt.Sprintf("%v %+v %#v", r, r, r), r.EventName, r.Version,
				strings.Join(r.Dropped, " "), strings.Join(r.Warnings, " "), strings.Join(slices.Collect(maps.Keys(r.Header)), " "),
				fmt.Sprintf("%v %+v", err, err), fmt.Sprint(a.Check(c.Destination)), fmt.Sprintf("%+v %#v", c.Destination, c.Destination),
			}
			for _, text := range kept {
				require.NotContains(t, text, mark, c.Name)
			}
		}
	})
}

func TestTheRecordOfABodyHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, _ string, a relay.Adapter, cases []adaptertest.Case) {
		for _, c := range cases {
			c.Event.Payload = maps.Clone(c.Event.Payload)
			for field, value := range person {
				if c.Event.Payload != nil {
					c.Event.Payload[field] = json.RawMessage(value)
				}
			}
			c.Destination.Options.Identifiers, c.Destination.Options.SendIP, c.Destination.Options.SendUserAgent = "hashed", true, true
			r, err := a.Request(c.Destination, c.Event)
			if err != nil {
				continue
			}
			record := relay.RedactBody(r.Body)
			for field, value := range person {
				require.NotContains(t, record, strings.Trim(value, `"`), "%s: %s", c.Name, field)
			}
		}
	})
}

// person has values that are in no number and no word of the payloads.
var person = map[string]string{
	"email": `"jane.roe@example.net"`, "phone": `"+14155550199"`, "first_name": `"Janeane"`, "last_name": `"Roeburg"`, "city": `"Sausalito"`,
	"zip": `"94965"`, "dob": `"1991-02-03"`, "client_ip": `"203.0.113.99"`, "user_agent": `"Mozilla/5.0 (Roe)"`, "external_id": `"cust_9_roe"`,
	"billing_phone": `"4155550198"`, "customerEmail": `"roe@example.net"`,
}

func TestEmptySettingsAreRefusedWithoutPanic(t *testing.T) {
	t.Parallel()
	forAll(t, func(t *testing.T, key string, a relay.Adapter, cases []adaptertest.Case) {
		empty := relay.Destination{Key: key}
		require.Error(t, a.Check(empty))
		for _, c := range cases {
			_, err := a.Request(empty, c.Event)
			var no *relay.Refusal
			require.ErrorAs(t, err, &no, c.Name)
			for _, e := range []relay.Event{{}, {Payload: relay.Payload{}}, {Type: c.Event.Type, Payload: relay.Payload{"order_revenue": nil, "items": nil, "email": nil}}} {
				if _, err := a.Request(c.Destination, e); err != nil {
					require.ErrorAs(t, err, &no, c.Name)
				}
			}
		}
	})
}
