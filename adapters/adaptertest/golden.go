package adaptertest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

var update = flag.Bool("update", false, "rewrite the golden files; read the diff before you commit it")

// renderings are how often a case is rendered: enough for Go's random map order to show.
const renderings = 20

// Golden compares an adapter's result for every testdata/<case>.event.json with testdata/<case>.request.json: the exact
// request, or the refusal. With -update it writes them.
func Golden(t *testing.T, a relay.Adapter) {
	t.Helper()
	const dir = "testdata"
	cases := Load(t, dir)
	if !*update {
		requests, err := filepath.Glob(filepath.Join(dir, "*"+requestSuffix))
		require.NoError(t, err)
		require.Len(t, requests, len(cases), "one request for every event")
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, c.Name+requestSuffix)
			got := render(t, a, c)
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
			for range renderings {
				require.Equal(t, string(got), string(render(t, a, load(t, filepath.Join(dir, c.Name+eventSuffix)))), "the same event twice")
			}
		})
	}
}

// request is the form of a .request.json.
type request struct {
	Method     string            `json:"method,omitempty"`
	URL        string            `json:"url,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	Body       json.RawMessage   `json:"body,omitempty"`
	Text       string            `json:"text,omitempty"` // a body that is not JSON
	Version    string            `json:"version,omitempty"`
	EventName  string            `json:"event_name,omitempty"`
	Dropped    []string          `json:"dropped,omitempty"`
	Withheld   []relay.Withheld  `json:"withheld,omitempty"`
	Warnings   []string          `json:"warnings,omitempty"`
	Repeatable bool              `json:"repeatable,omitempty"`
	MaxAge     string            `json:"max_age,omitempty"`
	Refusal    *refusal          `json:"refusal,omitempty"`
}

type refusal struct {
	Reason relay.Reason `json:"reason"`
	Field  string       `json:"field,omitempty"`
	Skip   bool         `json:"skip,omitempty"`
}

func render(t testing.TB, a relay.Adapter, c Case) []byte {
	t.Helper()
	r, err := a.Request(c.Destination, c.Event)
	f := request{
		Method: r.Method, URL: r.URL, Headers: r.Header, Version: r.Version, EventName: r.EventName,
		Dropped: r.Dropped, Withheld: r.Withheld, Warnings: r.Warnings, Repeatable: r.Repeatable,
	}
	switch {
	case err != nil:
		var no *relay.Refusal
		require.ErrorAs(t, err, &no, "an adapter refuses by a *relay.Refusal")
		f = request{Refusal: &refusal{no.Reason, no.Field, no.Skip}}
	case strings.HasPrefix(r.Header["Content-Type"], "application/json"):
		f.Body = compact(t, r.Body)
	default:
		f.Text = string(r.Body)
	}
	if r.MaxAge > 0 {
		f.MaxAge = r.MaxAge.String()
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(f))
	return out.Bytes()
}

// compact ensures that the indented golden file represents the exact bytes.
func compact(t testing.TB, body []byte) json.RawMessage {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, body))
	require.Equal(t, b.String(), string(body), "a body has no white space to spare")
	return body
}
