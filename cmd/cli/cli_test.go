package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
	"relay/internal/relay"
)

// canned is a relay with responses by method and path, in turn, that records its requests.
type canned struct {
	mu        sync.Mutex
	responses map[string][]string
	asked     []string
	preview   string // headers of the latest request
	note      string
}

func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	name, _, _ := r.BasicAuth()
	c.preview, c.note = r.Header.Get("X-Gtm-Server-Preview"), r.Header.Get("Relay-Note")
	c.asked = append(c.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", name, r.Method, r.URL, body)))
	key := r.Method + " " + r.URL.Path
	responses := c.responses[key]
	if len(responses) == 0 {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":"not_found","detail":"there is no event with this id","status":404}`)
		return
	}
	if len(responses) > 1 {
		c.responses[key] = responses[1:]
	}
	_, _ = io.WriteString(w, responses[0])
}

// run runs a command against a canned relay, and returns its output and its error.
func (c *canned) run(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(c)
	defer server.Close()
	return run(t, cli.Environment{URL: server.URL + "/", Username: "anna", Password: relay.NewSecret("x")}, t.TempDir(), in, args...)
}

// run runs a command in these surroundings, and returns its output and its error.
func run(t *testing.T, e cli.Environment, dir, in string, args ...string) (string, error) {
	t.Helper()
	root := newRoot(e, dir)
	var out bytes.Buffer
	root.SetIn(strings.NewReader(in))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// newRoot is a program with these commands alone.
func newRoot(e cli.Environment, dir string) *cobra.Command {
	root := &cobra.Command{Use: "relay", SilenceUsage: true, SilenceErrors: true}
	cli.AddTo(root, cli.Options{Environment: func() (cli.Environment, error) { return e, nil }, ConfigDir: func() (string, error) { return dir, nil }})
	return root
}

const twoEvents = `{"items":[{"id":7,"order_id":"o-7","event_type":"purchase_completed","storefront_code":"bosley","status":"failed","reason":"exhausted","warnings":["the event has no GA4 session"],"created_at":"2026-01-15T10:25:00Z"}],"next_cursor":"abc"}`

func TestEventsListFollowsCursorsUpToItsLimit(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"GET /admin/v1/events": {twoEvents, `{"items":[]}`}}}
	out, err := c.run(t, "", "events", "list", "--status", "failed,skipped", "--storefront", "bosley", "--from", "2026-01-15T00:00:00Z")
	require.NoError(t, err)
	require.Contains(t, out, "o-7")
	require.Contains(t, out, "RECEIVED (UTC)")
	require.Contains(t, out, "7  warning: the event has no GA4 session\n")
	require.Len(t, c.asked, 2)
	require.Contains(t, c.asked[0], "anna GET /admin/v1/events?from=2026-01-15T00%3A00%3A00Z&limit=50&status=failed%2Cskipped&storefront=bosley")
	require.Contains(t, c.asked[1], "cursor=abc")

	c.responses["GET /admin/v1/events"] = []string{twoEvents}
	out, err = c.run(t, "", "events", "list", "--limit", "1", "--json")
	require.NoError(t, err)
	var list map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Equal(t, "abc", list["next_cursor"])
}

func TestEventsShowKeepsNumbersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"GET /admin/v1/events/7": {`{"id":7,"status":"failed","created_at":"2026-01-15T10:25:00Z","payload":{"order_revenue":80.790},
		"attempts":[{"destination":"sgtm","number":1,"outcome":"retry","reason":"server_error","started_at":"2026-01-15T10:25:00Z","request":{"warnings":["odd"]},"response":{"status":503}},
		{"destination":"sgtm","outcome":"blocked","detail":"bosley switched off by anna","started_at":"2026-01-15T10:26:00Z","response":{}}]}`}}}
	out, err := c.run(t, "", "events", "show", "7")
	require.NoError(t, err)
	require.Contains(t, out, "80.790")
	require.Contains(t, out, "server_error")
	require.Contains(t, out, "bosley switched off by anna")
	require.Contains(t, out, "sgtm 1  warning: odd\n")
	c.responses["POST /admin/v1/events/7/reveal"] = []string{`{"id":7,"payload":{"email":"jo@example.com"}}`}
	out, err = c.run(t, "", "events", "show", "7", "--reveal", "--note", "ticket 7")
	require.NoError(t, err)
	require.Contains(t, out, "jo@example.com")
	require.Contains(t, c.asked[1], `POST /admin/v1/events/7/reveal {"note":"ticket 7"}`)
	_, err = c.run(t, "", "events", "show", "7", "--reveal")
	require.ErrorContains(t, err, "--note")
	_, err = c.run(t, "", "events", "show", "8")
	require.ErrorContains(t, err, "there is no event with this id (404 not_found)")
}

func TestAnInvalidFlagIsReportedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	c := &canned{}
	for flag, value := range map[string]string{"--from": "yesterday", "--to": "2026-13-01T00:00:00Z", "--limit": "0"} {
		_, err := c.run(t, "", "events", "list", flag, value)
		require.ErrorContains(t, err, flag)
	}
	_, err := c.run(t, "", "events", "list", "--limit=-5")
	require.ErrorContains(t, err, "--limit: must be at least 1", "an empty list would look as if there were no event")
	require.Empty(t, c.asked)
}

func TestAnErrorNamesTheFieldThatWasSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status         int
		problem, words string
	}{
		"one field": {422, `{"status":422,"code":"unknown_storefront","field":"storefront","detail":"there is no storefront with this code"}`,
			"storefront: there is no storefront with this code (422 unknown_storefront)"},
		"several": {422, `{"status":422,"code":"missing_field","field":"a","detail":"errors says what is wrong","errors":[{"field":"a","code":"missing_field","message":"is required"}]}`,
			"errors says what is wrong\n  a: is required (missing_field) (422 missing_field)"},
		"none":          {404, `{"status":404,"code":"not_found","detail":"there is no event with this id"}`, "there is no event with this id (404 not_found)"},
		"not a problem": {502, `<html>`, "the relay responded with 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.problem)
			}))
			defer server.Close()
			_, err := run(t, cli.Environment{URL: server.URL}, t.TempDir(), "", "events", "list")
			require.EqualError(t, err, c.words)
		})
	}
}

const (
	dryResponse = `{"dry_run":{"events":3,"by":[{"storefront_code":"bosley","destination":"sgtm","reason":"exhausted","events":3,"too_old":1}]}}`
	created     = `{"replay":{"id":5,"state":"running","matched":3}}`
	halfway     = `{"id":5,"state":"running","matched":3,"started":2,"delivered":1,"in_flight":1,"remaining":1}`
	finished    = `{"id":5,"state":"done","matched":3,"started":3,"delivered":3,"ended_at":"2026-01-15T10:25:00Z"}`
)

func TestAReplayAsksBeforeItStarts(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"POST /admin/v1/replays": {dryResponse}}}
	out, err := c.run(t, "n\n", "replay", "start", "--storefront", "bosley")
	require.ErrorContains(t, err, "nothing was started: it was not confirmed")
	require.Contains(t, out, "TOO OLD")
	require.Contains(t, out, "Deliver 3 events again?")
	require.Len(t, c.asked, 1)

	c = &canned{responses: map[string][]string{"POST /admin/v1/replays": {strings.Replace(dryResponse, `"events":3`, `"events":40000,"partial":true`, 1)}}}
	out, _ = c.run(t, "", "replay", "start", "--storefront", "bosley", "--dry-run")
	require.Contains(t, out, "40000 events in all; the table counts the oldest of them only")

	c = &canned{responses: map[string][]string{"POST /admin/v1/replays": {`{"dry_run":{"events":0,"by":[]}}`}}}
	for _, args := range [][]string{nil, {"--yes"}, {"--yes", "--json"}} {
		c.asked = nil
		_, err = c.run(t, "y\n", append([]string{"replay", "start", "--storefront", "bosley"}, args...)...)
		require.ErrorContains(t, err, "nothing was started: no event that matches the filter")
		require.Len(t, c.asked, 1)
	}
	_, err = c.run(t, "", "replay", "start", "--dry-run")
	require.NoError(t, err, "only a count was requested")

	c = &canned{responses: map[string][]string{"POST /admin/v1/replays": {dryResponse, created}, "GET /admin/v1/replays/5": {halfway, finished}}}
	out, err = c.run(t, "y\n", "replay", "start", "--storefront", "bosley", "--resend", "sgtm")
	require.NoError(t, err)
	require.Contains(t, c.asked[1], `"confirm":3`)
	require.Contains(t, c.asked[1], `"resend":true`)
	require.Contains(t, out, "[#############>>>>>>>>>>>>>..............] 2 of 3 started, 1 delivered")
	require.Contains(t, out, "[########################################] 3 of 3 started, 3 delivered, 0 failed, 0 skipped, done")
}

func TestAPreviewReadsAnEventFromStandardInput(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"POST /admin/v1/preview": {`{"levels":[{"level":"sgtm","name":"sgtm","active":true,"reason_text":"on"}],
		"destinations":[{"destination":"sgtm","sends":true,"event_name":"purchase","warnings":["old"],"withheld":[{"field":"items.sku","why":"data policy health"}],"request":{"method":"POST","url":"https://gtm.example.com/x","body":{"value":1}}},
		{"destination":"meta_capi","sends":false,"reason_text":"no mapping","field":"event_name"},
		{"destination":"ga4","sends":false,"already_accepted":true}]}`}}}
	out, err := c.run(t, `{"order_id":"1"}`, "preview")
	require.NoError(t, err)
	require.Contains(t, c.asked[0], `{"event":{"order_id":"1"}}`)
	require.Contains(t, out, "warning: old")
	require.Contains(t, out, "withheld: items.sku (data policy health)")
	require.Contains(t, out, "would not be sent: no mapping (event_name)")
	require.Contains(t, out, "ga4    has the event already")
	_, err = c.run(t, `{`, "preview")
	require.ErrorContains(t, err, "not JSON")
}

const (
	erasing = `{"id":5,"kind":"external_id","state":"running","total":10,"scanned":5,"matched":2,"erased":1}`
	erased  = `{"id":5,"kind":"external_id","state":"done","total":10,"scanned":10,"matched":2,"erased":2}`
)

func TestAnErasureAsksBeforeItStartsAndShowsItsProgress(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"POST /admin/v1/erasures": {erasing}}}
	out, err := c.run(t, "n\n", "erase", "--order", "o-1")
	require.ErrorContains(t, err, "nothing was erased: it was not confirmed")
	require.Contains(t, out, "cannot be undone")
	_, err = c.run(t, "", "erase", "--order", "o-1") // no terminal: no confirmation
	require.ErrorContains(t, err, "nothing was erased")
	require.Empty(t, c.asked)
	for _, args := range [][]string{{"erase"}, {"erase", "--order", "o-1", "--external-id", "p-1"}, {"erase", "--order", "o-1", "--json"}} {
		_, err = c.run(t, "y\n", args...)
		require.Error(t, err, args)
		require.Empty(t, c.asked, args)
	}

	c = &canned{responses: map[string][]string{"POST /admin/v1/erasures": {erasing}, "GET /admin/v1/erasures/5": {erasing, erased}}}
	out, err = c.run(t, "y\n", "erase", "--external-id", "p-1", "--storefront", "bosley")
	require.NoError(t, err)
	require.Equal(t, `anna POST /admin/v1/erasures {"external_id":"p-1","storefront":"bosley"}`, c.asked[0])
	require.Contains(t, out, "[####################....................] 5 of 10 events scanned, 1 of 2 erased, running")
	require.Contains(t, out, "[########################################] 10 of 10 events scanned, 2 of 2 erased, done")
	require.NotContains(t, out, "p-1")

	const none = `{"id":6,"kind":"order","state":"done","total":0,"scanned":0,"matched":0,"erased":0}`
	for _, args := range [][]string{{"--json", "--yes"}, {"--yes"}, {"--yes", "--detach"}} {
		c = &canned{responses: map[string][]string{"POST /admin/v1/erasures": {none}, "GET /admin/v1/erasures/6": {none}}}
		_, err = c.run(t, "", append([]string{"erase", "--order", "o-9"}, args...)...)
		require.ErrorContains(t, err, "no event matches", args)
	}
}

func TestARetryContinuesAfterARefusal(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"POST /admin/v1/events/7/retry": {`{"id":7,"retried":true,"message":"the event is set back"}`},
		"POST /admin/v1/events/9/retry": {`{"id":9,"retried":false,"message":"nothing to do"}`}}}
	out, err := c.run(t, "", "events", "retry", "8", "7", "9")
	require.ErrorContains(t, err, "2 of 3 events were not retried")
	require.Equal(t, "event 8: there is no event with this id (404 not_found)\nevent 7: the event is set back\nevent 9: nothing to do\n", out)
	require.Len(t, c.asked, 3)
	out, err = c.run(t, "", "events", "retry", "7", "8", "--json")
	require.ErrorContains(t, err, "1 of 2")
	require.Equal(t, 2, strings.Count(out, `"retried":`))
	require.Contains(t, out, "404 not_found")
	_, err = c.run(t, "", "events", "retry", "7")
	require.NoError(t, err)
}

func TestARetryOfManyEndsWhereNoneCanBeDone(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]int{http.StatusUnauthorized: cli.ExitUnauthorized, http.StatusForbidden: cli.ExitUnauthorized, http.StatusTooManyRequests: cli.ExitUnavailable,
		http.StatusServiceUnavailable: cli.ExitUnavailable} {
		for _, verb := range []string{"retry", "cancel"} {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked == 1 {
					_, _ = io.WriteString(w, `{"id":7,"retried":true,"cancelled":true,"message":"done"}`)
					return
				}
				w.WriteHeader(status)
			}))
			out, err := run(t, cli.Environment{URL: server.URL}, t.TempDir(), "", "events", verb, "7", "8", "9", "10")
			server.Close()
			require.Equal(t, code, cli.ExitCode(err), "%d: %v", status, err)
			require.ErrorContains(t, err, "event 8", "where to go on")
			require.Equal(t, "event 7: done\n", out)
			require.Equal(t, 2, asked, "%s after %d", verb, status)
		}
	}
}

func TestAnUnknownCommandFails(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"events"}, {"events", "retyr", "7"}, {"replay"}, {"replay", "begin"}, {"switches", "off"}, {"switches", "off", "tenant"}, {"evnts"}} {
		_, err := run(t, cli.Environment{}, t.TempDir(), "", args...)
		require.Error(t, err, args)
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err), args)
	}
	_, err := run(t, cli.Environment{}, t.TempDir(), "", "events", "retyr", "7")
	require.ErrorContains(t, err, "did you mean retry?")
}
