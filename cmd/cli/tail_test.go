package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

const (
	oldAttempt  = "event: attempt\ndata: {\"id\":1,\"event_id\":7,\"storefront\":\"bosley\",\"destination\":\"sgtm\",\"outcome\":\"accepted\",\"at\":\"2020-01-15T10:25:00Z\"}\n\n"
	begun       = "event: attempt\ndata: {\"id\":2,\"event_id\":8,\"storefront\":\"bosley\",\"destination\":\"sgtm\",\"outcome\":\"sending\",\"at\":\"2999-01-15T10:25:00Z\"}\n\n"
	refusedOnce = "event: attempt\ndata: {\"id\":2,\"event_id\":8,\"storefront\":\"bosley\",\"destination\":\"sgtm\",\"number\":2,\"outcome\":\"retry\",\"reason\":\"server_error\",\"status\":503,\"ms\":12.3,\"at\":\"2999-01-15T10:25:00Z\"}\n\n"
	ill         = "event: health\ndata: {\"storefront\":\"bosley\",\"destination\":\"sgtm\",\"state\":\"unhealthy\",\"reason\":\"server_error\",\"last_status\":503}\n\n"
	unknown     = "event: novelty\ndata: {}\n\n: heartbeat\n\nevent: attempt\ndata: {\n\n"
)

// streams is a relay that ends its first stream, and the test with the second.
func streams(t *testing.T, first, second string) (url string, ctx context.Context, requests *atomic.Int32) {
	ctx, cancel := context.WithCancel(t.Context())
	requests = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if requests.Add(1) == 1 {
			_, _ = io.WriteString(w, first)
			return
		}
		_, _ = io.WriteString(w, second)
		_ = http.NewResponseController(w).Flush()
		time.AfterFunc(100*time.Millisecond, cancel) // for the program to read it
		<-ctx.Done()
	}))
	t.Cleanup(server.Close)
	return server.URL, ctx, requests
}

func TestATailShowsEachAttemptOnceAcrossStreams(t *testing.T) {
	t.Parallel()
	url, ctx, requests := streams(t, "retry: 3000\n\n"+oldAttempt+begun+refusedOnce+unknown+ill, refusedOnce+ill)
	root := newRoot(cli.Environment{URL: url}, t.TempDir())
	var out, notices bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&notices)
	root.SetArgs([]string{"events", "tail"})
	require.NoError(t, root.ExecuteContext(ctx), "Ctrl-C ends it well")
	require.Equal(t, int32(2), requests.Load())
	require.Equal(t, "10:25:00  bosley       sgtm         retry        503      12 ms  event 8, attempt 2  server_error\n"+
		fmt.Sprintf("%8s  bosley       sgtm         now unhealthy  server_error, 503\n", ""), out.String())
	require.Contains(t, notices.String(), "the stream broke (it ended); trying again in 1s\nconnected again\n")
}

func TestATailThatCannotBeginFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
		kind         string
	}{
		"a wrong login": {http.StatusUnauthorized, cli.ExitUnauthorized, ""},
		"too many":      {http.StatusServiceUnavailable, cli.ExitUnavailable, ""},
		"not a stream":  {http.StatusOK, cli.ExitFailed, "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
			}))
			defer server.Close()
			_, err := run(t, cli.Environment{URL: server.URL}, t.TempDir(), "", "events", "tail")
			require.Equal(t, c.code, cli.ExitCode(err))
		})
	}
}

// closed is a pipe whose reader is gone.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestATailEndsWithItsReader(t *testing.T) {
	t.Parallel()
	url, ctx, requests := streams(t, refusedOnce, refusedOnce)
	root := newRoot(cli.Environment{URL: url}, t.TempDir())
	root.SetOut(closed{})
	root.SetErr(io.Discard)
	root.SetArgs([]string{"events", "tail"})
	require.ErrorIs(t, root.ExecuteContext(ctx), io.ErrClosedPipe)
	require.Equal(t, int32(1), requests.Load(), "a reader that is gone does not come back")
}

func TestEveryStatusHasAnExitCode(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]int{400: cli.ExitRefused, 401: cli.ExitUnauthorized, 403: cli.ExitUnauthorized, 404: cli.ExitNotFound, 409: cli.ExitConflict,
		412: cli.ExitConflict, 413: cli.ExitRefused, 415: cli.ExitRefused, 422: cli.ExitRefused, 429: cli.ExitUnavailable, 500: cli.ExitFailed, 502: cli.ExitUnavailable,
		503: cli.ExitUnavailable, 504: cli.ExitUnavailable, 302: cli.ExitRefused} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		_, err := run(t, cli.Environment{URL: server.URL}, t.TempDir(), "", "backlog")
		server.Close()
		require.Equal(t, code, cli.ExitCode(err), status)
	}
	require.Equal(t, cli.ExitDone, cli.ExitCode(nil))
	require.Equal(t, cli.ExitInterrupted, cli.ExitCode(context.Canceled))
	for _, line := range []string{"backlog extra", "events list --limit x", "switches off sgtm", "storefronts show id:x", "events tail --nonsense", "login a b", "erase", "completion cmd"} {
		_, err := run(t, cli.Environment{URL: "http://127.0.0.1:1"}, t.TempDir(), "", strings.Fields(line)...)
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err), line)
	}
}
