package checks_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd"
)

const root = "../../.."

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "relay-checks-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "relay")
	flags, err := linkFlags("1.2.3", "0a1b2c", "2026-01-15T10:25:00Z")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-ldflags", flags, "-o", program, "./cmd/relay")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return program, nil
})

// linkFlags are those with which the Dockerfile builds the relay.
func linkFlags(version, commit, built string) (string, error) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`-ldflags "([^"]*)" -o /out/relay`).FindSubmatch(text)
	if m == nil {
		return "", errors.New("the Dockerfile has no -ldflags of the relay")
	}
	return strings.NewReplacer("$VERSION", version, "$COMMIT", commit, "$BUILT", built).Replace(string(m[1])), nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := buildOnce(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// requireCommand requires that the real binary, as in the image, has a command with these flags.
func requireCommand(t *testing.T, args []string) {
	t.Helper()
	program, err := buildOnce()
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), program, append(args, "--help")...).CombinedOutput()
	require.NoError(t, err, "relay %v: %s", args, out)
	var names []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			names = append(names, arg)
		}
	}
	// An unknown command prints the help of its parent.
	require.Regexp(t, `(?m)^  relay `+regexp.QuoteMeta(strings.Join(names, " "))+`( |$)`, string(out))
}

func TestRequireCommandRecognisesCommands(t *testing.T) {
	t.Parallel()
	requireCommand(t, []string{"migrate", "up"})
	requireCommand(t, []string{"health", "--ready"})
	program, err := buildOnce()
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), program, "migrate", "sideways", "--help").CombinedOutput()
	require.NoError(t, err)
	require.NotContains(t, string(out), "relay migrate sideways")
}

// temporalVariables holds those of Temporal's own tools that a relay may receive; the SDK's envconfig reads them.
var temporalVariables = []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_TLS"}

// traceVariables holds OpenTelemetry's own variables of a relay; its SDK reads them.
var traceVariables = []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER",
	"OTEL_TRACES_SAMPLER_ARG"}

func knownVariables() []string {
	names := append(slices.Clone(temporalVariables), traceVariables...)
	for _, v := range cmd.Variables(cmd.Config{}) {
		names = append(names, v.Name)
	}
	return names
}
