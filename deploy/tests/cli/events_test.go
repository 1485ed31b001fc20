package cli_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
)

func ended(e ops.EventDetail) bool { return e.Status.Final() }

func TestABatchIsSentAndAskedAbout(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "batch")
	omsUser := as(t, oms)
	batch := `{"count":1,"data":[{"t-value":"x","storefront_id":"batch","event_name":"purchase_completed","order_id":"batch-1","event_time":"` +
		time.Now().UTC().Format(time.RFC3339) + `","order_revenue":80.79,"session_id":"s","email":"` + shared.Email + `"}]}`
	r := omsUser.run(batch, "events", "send")
	require.Equal(t, 0, r.code, r.notices)
	require.Regexp(t, `accepted +1`, r.out)
	w.Until(t, "batch-1", ended)
	require.Contains(t, omsUser.ok("events", "status", "batch-1"), "delivered")
	require.Contains(t, omsUser.fails(notFound, "events", "status", "batch-1", "batch-2"), "there is no event of batch-2")
	require.Equal(t, refused, omsUser.run(`{"data":[{}]}`, "events", "send").code)
	require.Equal(t, usage, omsUser.run(`{`, "events", "send").code)
	require.Contains(t, as(t, admin).ok("events", "list", "--order", "batch-1"), "delivered")
}

// follower is a command that runs until it is stopped.
type follower struct {
	lines <-chan string
	stop  func() error
}

// follow starts a command.
func follow(u *user, args ...string) follower {
	u.t.Helper()
	c := u.command(u.t.Context(), args...)
	read, write := io.Pipe()
	c.Stdout, c.Stderr = write, write
	require.NoError(u.t, c.Start())
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(read); s.Scan(); {
			lines <- s.Text()
		}
	}()
	stopped := false
	stop := func() error {
		if stopped {
			return nil
		}
		stopped = true
		_ = c.Process.Signal(os.Interrupt)
		err := c.Wait()
		_ = write.Close()
		return err
	}
	u.t.Cleanup(func() { _ = stop() })
	return follower{lines, stop}
}

// until returns the lines up to the one with these parts.
func (f follower) until(t *testing.T, parts ...string) []string {
	t.Helper()
	var seen []string
	bound := time.After(shared.Bound)
	for {
		select {
		case line, open := <-f.lines:
			require.True(t, open, "it ended: %v", seen)
			seen = append(seen, line)
			has := true
			for _, part := range parts {
				has = has && strings.Contains(line, part)
			}
			if has {
				return seen
			}
		case <-bound:
			require.Fail(t, "no such line", "%v: %v", parts, seen)
		}
	}
}

// The relay of this test only serves: another one delivers.
func TestATailOutlivesARestartAndRepeatsNothing(t *testing.T) {
	w := setup(t)
	r, err := w.StartRelay(t.Context(), harness.RelayOptions{Name: "relay-tailed", Role: "api"})
	require.NoError(t, err)
	w.Storefront(t, "tailed")
	rita := as(t, reader)
	rita.env = append(rita.env, "RELAY_URL="+r.URL)
	f := follow(rita, "events", "tail", "--storefront", "tailed", "--since", "1h")
	w.Post(t, "tailed", "tailed-1")
	first := f.until(t, "tailed", "accepted", "200")
	require.NoError(t, r.Restart(t.Context()))
	w.Post(t, "tailed", "tailed-2")
	later := f.until(t, "tailed", "accepted", "200")
	require.Contains(t, strings.Join(later, "\n"), "the stream broke")
	require.Contains(t, strings.Join(later, "\n"), "connected again")
	require.NotContains(t, later, first[len(first)-1], "an attempt is shown once")
	require.NoError(t, f.stop(), "Ctrl-C is how it ends")

	asJSON := follow(rita, "events", "tail", "--json", "--since", "1h", "--storefront", "tailed")
	line := asJSON.until(t, `"kind":"attempt"`)
	require.Equal(t, "tailed", object(t, line[len(line)-1])["data"].(map[string]any)["storefront"])
	require.NoError(t, asJSON.stop())
	require.Contains(t, as(t, "mallory").fails(unauthorized, "events", "tail"), "401")
	require.Contains(t, rita.fails(refused, "events", "tail", "--kinds", "nonsense"), "kinds")
}

func TestACheckOfAStorefrontShowsItsProblemsFirst(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	w.Storefront(t, "night")
	w.Post(t, "night", "night-1")
	w.Until(t, "night-1", ended)
	out := anna.ok("check", "night")
	require.Contains(t, out, "no problem found")
	for _, part := range []string{"KILL SWITCHES", "DESTINATIONS", "BACKLOG", "received", "relay "} {
		require.Contains(t, out, part)
	}
	require.Contains(t, as(t, reader).ok("check", "night"), "not checked: settings")
	require.Contains(t, anna.fails(usage, "check", "night", "--note", "ticket 3"), "--send-test")
	w.RespondWith(t, "/night", sandbox.Answer{Status: http.StatusUnauthorized})
	w.Post(t, "night", "night-2")
	w.Until(t, "night-2", ended)
	r := anna.run("", "check", "night")
	require.Equal(t, aProblem, r.code, r.out)
	require.Contains(t, r.notices, "night has ")
	require.Contains(t, r.out, "! sgtm refuses the credential (unauthorized, 401)")
	require.Contains(t, r.out, "NEWEST FAILED EVENTS")
	require.Contains(t, r.out, "night-2")
	require.NotContains(t, r.out, shared.Email)
	anna.ok("switches", "off", "storefront", "night", "--note", "ticket 3")
	r = anna.run("", "check", "night", "--json")
	require.Equal(t, aProblem, r.code)
	require.Contains(t, object(t, r.out)["problems"].([]any)[0], "the storefront is off, by anna at ")
	require.Contains(t, as(t, reader).run("", "check", "night").out, "a login that may only read cannot check them")
	anna.fails(notFound, "check", "nobody")
	anna.fails(usage, "check", "night", "--send-test")
	w.RespondWith(t, "/night", sandbox.Answer{})
}
