package oms_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/oapi-codegen/runtime" // dependencies of the generated client
	"github.com/stretchr/testify/require"

	shared "relay/deploy/tests/world"
)

// generate is the command of the page, which makes a client of the operations for OMS.
const generate = "oapi-codegen -generate types,client -include-tags 'Ingestion,Status for OMS' -package relayclient -o client.gen.go openapi.json"

// TestAGeneratedClientSendsEventsAndAsksForThem generates a client from what "relay openapi" prints, and the program in
// testdata/orders sends events with it and asks for their status.
func TestAGeneratedClientSendsEventsAndAsksForThem(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(text), "\n"+generate+"\n")
	document, err := printed()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(file, document, 0o600))
	const target = "testdata/orders/relayclient"
	require.NoError(t, os.MkdirAll(target, 0o700))
	command := strings.NewReplacer("openapi.json", file, "client.gen.go", target+"/client.gen.go").Replace(generate)
	goRun(t, nil, "sh", "-c", "go tool "+command)

	w := setup(t)
	w.Storefront(t, "oms-client")
	goRun(t, []string{"RELAY_URL=" + w.Relay.URL, "BASIC_AUTH_USERNAME=" + shared.Username, "BASIC_AUTH_PASSWORD=" + shared.Password,
		"STOREFRONT=oms-client", "ORDER=client-4444"}, "go", "run", "./testdata/orders")
	received, err := w.Sandbox.Requests(t.Context(), "/oms-client/", 0)
	require.NoError(t, err)
	require.Len(t, received, 1)
	require.Contains(t, received[0].Body, `"relay_session_id":"sess_456"`)
}

func goRun(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}
