package adaptertest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// Accepted returns a platform's response to an accepted event: testdata/accepted.reply.json, else 200 and an empty body.
func Accepted(t testing.TB, dir string) relay.Response {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "accepted.reply.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return relay.Response{Sent: true, Status: 200}
	}
	require.NoError(t, err)
	var f struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	}
	require.NoError(t, json.Unmarshal(b, &f))
	var text string // of a body that is no JSON
	if json.Unmarshal(f.Body, &text) == nil {
		f.Body = []byte(text)
	}
	r := relay.Response{Sent: true, Status: f.Status, Header: map[string]string{}, Body: f.Body}
	for name, value := range f.Headers {
		r.Header[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	return r
}
