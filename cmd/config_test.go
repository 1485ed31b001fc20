package cmd_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd"
)

var update = flag.Bool("update", false, "rewrite the table of variables in README.md")

const (
	readme = "../README.md"
	head   = "| variable | default | meaning |\n|---|---|---|\n"
)

func TestReadmeListsEveryVariable(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(b), head)
	require.True(t, ok, "README.md has no table of variables")
	got, after, ok := strings.Cut(rest, "\n\n")
	require.True(t, ok)
	want := table()
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(before+head+want+"\n\n"+after), 0o644))
		return
	}
	require.Equal(t, want, got, "run go test ./cmd -update")
}

func table() string {
	var lines []string
	for _, v := range cmd.Variables(cmd.Config{}) {
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s |", v.Name, v.Shown(), v.Description))
	}
	return strings.Join(lines, "\n")
}

func TestABadVariableStopsTheStartWithOneLineThatNamesIt(t *testing.T) {
	good := map[string]string{
		"DATABASE_URL":        "mysql+aiomysql://relay:hunter2@localhost/relay",
		"BASIC_AUTH_USERNAME": "oms",
		"BASIC_AUTH_PASSWORD": "hunter2",
		"ENCRYPTION_KEY":      "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	}
	for name, c := range map[string]struct{ variable, value, says string }{
		"missing":              {"DATABASE_URL", "", "required"},
		"no database in it":    {"DATABASE_URL", "mysql://relay:hunter2@localhost", "no database"},
		"another database":     {"DATABASE_URL", "postgres://relay:hunter2@localhost/relay", "mysql://"},
		"no key":               {"ENCRYPTION_KEY", "hunter2", "44 characters"},
		"not a number":         {"MAX_RETRY_ATTEMPTS", "five", "whole number"},
		"no attempts":          {"MAX_RETRY_ATTEMPTS", "0", "1 or more"},
		"no backoff":           {"RETRY_BACKOFF_BASE", "0", "1 second"},
		"not a boolean":        {"DEBUG", "perhaps", "true or false"},
		"not a duration":       {"POLL_INTERVAL", "1", "duration"},
		"not a network":        {"ALLOWED_PRIVATE_NETS", "10.0.0.0", ""},
		"no proxy":             {"OUTBOUND_PROXY", "socks5://localhost:1", "http"},
		"no password":          {"BASIC_AUTH_PASSWORD", "", "required"},
		"no retention":         {"RETENTION_DAYS", "0", "1 or more"},
		"negative retention":   {"AUDIT_RETENTION_DAYS", "-1", "1 or more"},
		"endless retention":    {"RETENTION_DAYS", "99999", "36500 or less"},
		"negative body limit":  {"MAX_BODY_BYTES", "-1", "1 or more"},
		"not a port":           {"TEMPORAL_ADDRESS", "temporal.internal", "host:port"},
		"too many colons":      {"TEMPORAL_ADDRESS", ":::", "host:port"},
		"no failures":          {"LOGIN_FAILURES_PER_ACCOUNT", "0", "1 or more"},
		"negative failures":    {"LOGIN_FAILURES_PER_ADDRESS", "-1", "1 or more"},
		"no window":            {"LOGIN_WINDOW", "0s", "1s or more"},
		"no proxies":           {"TRUSTED_PROXIES", "10.0.0.1", ""},
		"not a public address": {"PUBLIC_URL", "relay.example.com", "http or https URL"},
		"not a web page":       {"TEMPORAL_UI_URL", "temporal.internal:8233", "http or https URL"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range good {
				t.Setenv(k, v)
			}
			t.Setenv(c.variable, c.value)
			if c.value == "" {
				require.NoError(t, os.Unsetenv(c.variable))
			}
			_, err := cmd.Load()
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), c.variable+": "), err.Error())
			require.Contains(t, err.Error(), c.says)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestTheDefaultsAreTheBriefs(t *testing.T) {
	t.Setenv("DATABASE_URL", "mysql+aiomysql://relay:secret@localhost/relay")
	t.Setenv("BASIC_AUTH_USERNAME", "oms")
	t.Setenv("BASIC_AUTH_PASSWORD", "secret")
	t.Setenv("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	c, err := cmd.Load()
	require.NoError(t, err)
	require.Equal(t, 5, c.MaxRetryAttempts)
	require.Equal(t, 60, c.RetryBackoffBase)
	require.False(t, c.Debug)
	require.Equal(t, 90, c.EventDays)
	require.Equal(t, 2192, c.AuditDays)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", c, c, c), "secret@")
}
