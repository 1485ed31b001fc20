package apitest_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/oapi-codegen/runtime" // dependencies of the generated client
	"github.com/stretchr/testify/require"
)

// TestAGeneratedClientCompilesAndCompletesTheRoundTrip generates a client from the document that the relay serves, with
// oapi-codegen, and the program in testdata/roundtrip creates, reads, lists, changes, switches and deletes with it.
func TestAGeneratedClientCompilesAndCompletesTheRoundTrip(t *testing.T) {
	url := serve(t)
	res, err := http.Get(url + "/openapi.json")
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	document, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(file, document, 0o600))
	const client = "testdata/roundtrip/client"
	require.NoError(t, os.MkdirAll(client, 0o700))
	run(t, nil, "go", "tool", "oapi-codegen", "-generate", "types,client", "-package", "client", "-o", client+"/client.gen.go", file)
	run(t, []string{"RELAY_URL=" + url, "RELAY_USERNAME=" + user, "RELAY_PASSWORD=" + password}, "go", "run", "./testdata/roundtrip")
}
