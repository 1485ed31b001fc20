package cmd_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/cmd"
	"relay/internal/ops"
	"relay/internal/relay"
)

const webhookSecret = "whsec_bWFya2VyLXNlY3JldC1vZi1hLXRlc3QtcmVjZWl2ZXI="

// received are the requests that a receiver got.
type received struct {
	header http.Header
	body   string
}

// receiver responds with a status and a body, and keeps what it got.
func receiver(t *testing.T, status int, body string) (string, *[]received) {
	t.Helper()
	var got []received
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, received{r.Header, string(b)})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/services/T0/B0/token", &got
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func notify(t *testing.T, n cmd.Notify, nets []netip.Prefix, notice ops.Notice) relay.Result {
	t.Helper()
	client := outbound.New(outbound.Config{AllowedPrivateNets: nets})
	t.Cleanup(client.Close)
	return cmd.NewNotifier(n, "https://relay.example.com/", client).Notify(t.Context(), notice)
}

func notices() []ops.Notice {
	at := time.Date(2026, 1, 15, 10, 5, 0, 0, time.UTC)
	since := at.Add(-5 * time.Minute)
	one := []ops.NoticeSubject{{Storefront: "bosley", Destination: "meta_capi", Reason: relay.ReasonServerError, Status: 503, Since: since}}
	over := []ops.NoticeSubject{{Storefront: "bosley", Destination: "meta_capi", Reason: relay.ReasonServerError, Status: 503, Since: since, Until: at}}
	two := append(one, ops.NoticeSubject{Storefront: "<a&b>", Destination: relay.SGTM, Reason: relay.ReasonTimeout, Since: since, Until: at}) //nolint:gocritic // a longer list
	refused := []ops.NoticeSubject{{Storefront: "bosley", Destination: "meta_capi", Reason: relay.ReasonUnauthorized, Status: 401, Since: since}}
	failing := []ops.NoticeSubject{{Storefront: "bosley", Destination: "meta_capi", Reason: relay.ReasonBadRequest, Failed: 6, Ended: 8}}
	held := []ops.NoticeSubject{{Storefront: "bosley", Reason: relay.ReasonCredentialUnreadable, Since: since}}
	return []ops.Notice{
		{ID: 1, Kind: ops.NoticeUnhealthy, Phase: ops.NoticeAlert, At: at, Subjects: one},
		{ID: 2, Kind: ops.NoticeUnhealthy, Phase: ops.NoticeAlert, At: at, Subjects: two, More: 30},
		{ID: 3, Kind: ops.NoticeUnhealthy, Phase: ops.NoticeRecovery, At: at, Subjects: over, Left: 2},
		{ID: 4, Kind: ops.NoticeCredential, Phase: ops.NoticeAlert, At: at, Subjects: refused},
		{ID: 5, Kind: ops.NoticeCredential, Phase: ops.NoticeRecovery, At: at, Subjects: over},
		{ID: 6, Kind: ops.NoticeWaiting, Phase: ops.NoticeAlert, At: at, Subjects: []ops.NoticeSubject{{Since: since}, {Storefront: "bosley", Since: since}}},
		{ID: 7, Kind: ops.NoticeWaiting, Phase: ops.NoticeRecovery, At: at, Subjects: []ops.NoticeSubject{{Storefront: "bosley", Since: since, Until: at}}},
		{ID: 8, Kind: ops.NoticeFailing, Phase: ops.NoticeAlert, At: at, Subjects: failing},
		{ID: 9, Kind: ops.NoticeFailing, Phase: ops.NoticeRecovery, At: at, Subjects: failing},
		{ID: 10, Kind: ops.NoticeUnknown, Phase: ops.NoticeAlert, At: at, Subjects: []ops.NoticeSubject{{Rows: 3, Since: since}}},
		{ID: 11, Kind: ops.NoticeUnknown, Phase: ops.NoticeRecovery, At: at, Subjects: []ops.NoticeSubject{{Rows: 3, Since: since, Until: at}}},
		{ID: 12, Kind: ops.NoticeRepairs, Phase: ops.NoticeReport, At: at, Subjects: []ops.NoticeSubject{{Rows: 1}}},
		{ID: 13, Kind: ops.NoticeSummary, Phase: ops.NoticeReport, At: at, Subjects: []ops.NoticeSubject{
			{Storefront: "bosley", Events: &ops.NoticeCounts{Received: 100, Delivered: 90, Failed: 3, Skipped: 6, Open: 1}}}},
		{ID: 14, Kind: ops.NoticeTest, Phase: ops.NoticeReport, At: at},
		{ID: 15, Kind: ops.NoticeWaiting, Phase: ops.NoticeAlert, At: at, Subjects: held},
		{ID: 16, Kind: ops.NoticeWaiting, Phase: ops.NoticeAlert, At: at, Subjects: append(held, ops.NoticeSubject{Storefront: "pfizer", Since: since})},
	}
}

// The golden file has what people read, and the JSON of programs. It is rewritten by -update.
func TestNoticesAreReadable(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, n := range notices() {
		for _, secret := range []string{"", webhookSecret} {
			address, got := receiver(t, http.StatusOK, "ok")
			cfg := cmd.Notify{NotifyURL: relay.NewSecret(address), NotifySecret: relay.NewSecret(secret), NotifyPending: 5 * time.Minute, NotifyShare: 0.1}
			if n.ID%2 == 0 {
				cfg.RunbookURL = "https://git.example.com/relay/blob/main/docs/OPERATIONS.md"
			}
			require.Equal(t, relay.Accepted, notify(t, cfg, loopback(), n).Outcome)
			require.Len(t, *got, 1)
			text := (*got)[0].body
			if secret == "" {
				var message map[string]string
				require.NoError(t, json.Unmarshal([]byte(text), &message))
				require.Len(t, message, 1)
				text = message["text"]
			}
			lines = append(lines, text)
		}
	}
	got, file := strings.Join(lines, "\n\n")+"\n", filepath.Join("testdata", "notices.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	for _, kind := range ops.NoticeKinds() {
		require.Contains(t, got, `"kind":"`+string(kind)+`"`)
	}
}

func TestASignedNoticeHasTheSameIDOnEveryAttempt(t *testing.T) {
	t.Parallel()
	address, got := receiver(t, http.StatusServiceUnavailable, "")
	cfg := cmd.Notify{NotifyURL: relay.NewSecret(address), NotifySecret: relay.NewSecret(webhookSecret)}
	for range 2 {
		r := notify(t, cfg, loopback(), notices()[0])
		require.Equal(t, relay.Retry, r.Outcome)
		require.Equal(t, relay.ReasonServerError, r.Reason)
	}
	for _, r := range *got {
		require.Equal(t, "notice-1", r.header.Get("Webhook-Id"))
		require.NotEmpty(t, r.header.Get("Webhook-Timestamp"))
		require.True(t, strings.HasPrefix(r.header.Get("Webhook-Signature"), "v1,"))
	}
}

func TestTheReceiverIsUnderTheRulesOfDestinations(t *testing.T) {
	t.Parallel()
	address, got := receiver(t, http.StatusOK, "ok")
	r := notify(t, cmd.Notify{NotifyURL: relay.NewSecret(address)}, nil, notices()[0])
	require.Equal(t, relay.ReasonAddressRefused, r.Reason)
	require.Empty(t, *got)
}

func TestALoginPageIsNoReceiver(t *testing.T) {
	t.Parallel()
	address, _ := receiver(t, http.StatusOK, "<!doctype html><title>Log in</title>")
	require.Equal(t, relay.Rejected, notify(t, cmd.Notify{NotifyURL: relay.NewSecret(address)}, loopback(), notices()[0]).Outcome)
}

func TestSettingsOfNoticesAreChecked(t *testing.T) {
	t.Parallel()
	good := cmd.Notify{NotifyURL: relay.NewSecret("https://hooks.example.com/hunter2"), NotifyEvery: time.Minute, NotifyShare: 0.1}
	for says, change := range map[string]func(*cmd.Notify){
		"":                       func(*cmd.Notify) {},
		"NOTIFY_URL: ":           func(n *cmd.Notify) { n.NotifyURL = relay.NewSecret("hooks.example.com/hunter2") },
		"NOTIFY_URL: must be an": func(n *cmd.Notify) { n.NotifyURL = relay.NewSecret("http://hooks.example.com/hunter2") },
		"NOTIFY_URL: must not be in a private network": func(n *cmd.Notify) { n.NotifyURL = relay.NewSecret("https://10.0.0.1/hunter2") },
		"NOTIFY_URL: is required":                      func(n *cmd.Notify) { n.NotifyURL, n.NotifySecret = relay.Secret{}, relay.NewSecret("hunter2") },
		"NOTIFY_SECRET: ":                              func(n *cmd.Notify) { n.NotifySecret = relay.NewSecret("hunter2") },
		"NOTIFY_EVERY: ":                               func(n *cmd.Notify) { n.NotifyEvery = 0 },
		"NOTIFY_WAIT: ":                                func(n *cmd.Notify) { n.NotifyWait = -1 },
		"NOTIFY_OLDEST_PENDING: ":                      func(n *cmd.Notify) { n.NotifyPending = -1 },
		"NOTIFY_FAILURE_SHARE: ":                       func(n *cmd.Notify) { n.NotifyShare = 1 },
		"NOTIFY_DAILY: ":                               func(n *cmd.Notify) { n.NotifyDaily = "8" },
		"RUNBOOK_URL: ":                                func(n *cmd.Notify) { n.RunbookURL = "docs/OPERATIONS.md" },
	} {
		n := good
		change(&n)
		err := n.Check(nil)
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
	}
	inside := good
	inside.NotifyURL = relay.NewSecret("http://mattermost:8065/hooks/hunter2")
	require.NoError(t, inside.Check(loopback()), "a name is resolved when it is dialled")
}
