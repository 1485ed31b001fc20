package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

// screen calls a function once something with a text was written to it.
type screen struct {
	bytes.Buffer
	text string
	then func()
}

func (s *screen) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.text) {
		s.then()
	}
	return s.Buffer.Write(b)
}

func TestAWatchThatIsInterruptedExitsSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		get  string
		says string
	}{
		"replay start": {[]string{"replay", "start", "--yes"}, "GET /admin/v1/replays/5", "The replay continues; relay replay watch 5 shows it.\n"},
		"replay watch": {[]string{"replay", "watch", "5"}, "GET /admin/v1/replays/5", "The replay continues; relay replay watch 5 shows it.\n"},
		"erase":        {[]string{"erase", "--order", "o-1", "--yes"}, "GET /admin/v1/erasures/5", "The erasure continues; relay erase watch 5 shows it.\n"},
		"erase watch":  {[]string{"erase", "watch", "5"}, "GET /admin/v1/erasures/5", "The erasure continues; relay erase watch 5 shows it.\n"},
	} {
		for _, when := range []string{"between two requests", "in a request"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				relay := &canned{responses: map[string][]string{"POST /admin/v1/replays": {dryResponse, created}, "GET /admin/v1/replays/5": {halfway},
					"POST /admin/v1/erasures": {erasing}, "GET /admin/v1/erasures/5": {erasing}}}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if when == "in a request" && r.Method+" "+r.URL.Path == c.get {
						interrupt()
						<-r.Context().Done()
						return
					}
					relay.ServeHTTP(w, r)
				}))
				defer server.Close()
				out := screen{text: "[##", then: func() {
					if when == "between two requests" {
						interrupt()
					}
				}}
				root := newRoot(cli.Environment{URL: server.URL}, t.TempDir())
				root.SetOut(&out)
				root.SetErr(&out)
				root.SetArgs(c.args)
				require.Equal(t, cli.ExitInterrupted, cli.ExitCode(root.ExecuteContext(ctx)), out.String())
				require.Contains(t, out.String(), c.says)
			})
		}
	}
}
