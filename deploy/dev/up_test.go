package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/db/dbtest"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/proc"
	"relay/internal/relay"
)

const (
	bound  = 4 * time.Minute // on a loaded machine; up itself waits for the sample for up to two
	upLine = "Ctrl-C stops everything."
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestUpDeliversTheSampleBatchAndStopsCleanly(t *testing.T) {
	t.Parallel()
	state, ports := t.TempDir(), freePorts(t)
	first := startUp(t, state, ports)
	require.Contains(t, first.output(), "responded 202: 3 accepted, 0 duplicates, 0 rejected")
	for _, event := range []string{"consult_started", "rx_issued", "purchase_completed"} {
		require.Regexp(t, event+` .* delivered +sgtm +1 +accepted \(200\)`, first.output())
	}
	require.Contains(t, first.output(), `"value": 80.79`)
	for platform := range adapters.All() {
		attempts := 1
		switch platform {
		case relay.SGTM:
			continue
		case "tiktok": // which fails twice first
			attempts = 3
		}
		require.Regexp(t, fmt.Sprintf(`purchase_completed +brio-\d+ +brio +delivered +%s +%d +accepted`, platform, attempts), first.output())
	}

	requireTimely(t, first, ports)

	requests, err := sandbox.Client{BaseURL: "http://" + address(ports["SANDBOX_PORT"])}.Requests(t.Context(), "/mp/collect", 0)
	require.NoError(t, err)
	require.Len(t, requests, 3)
	children := childrenOf(t, first.cmd.Process.Pid)
	require.Len(t, children, 4, "database, Temporal, sandbox, relay")

	second := exec.CommandContext(t.Context(), harness.Built(t).Dev[0], "up")
	second.Env = environment(state, ports)
	out, err := second.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "another run uses "+state)

	require.NoError(t, first.cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, first.wait(t), first.output())
	requireGone(t, children)
}

func TestUpAfterAKillKeepsTheDataAndLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	state, ports := t.TempDir(), freePorts(t)
	first := startUp(t, state, ports)
	children := childrenOf(t, first.cmd.Process.Pid)
	require.Len(t, children, 4)
	require.NoError(t, first.cmd.Process.Kill())
	require.Error(t, first.wait(t))
	requireGone(t, children)

	again := startUp(t, state, ports)
	require.Contains(t, again.output(), "0 accepted, 3 duplicates, 0 rejected")
	require.Contains(t, again.output(), "The duplicates are from an earlier start")
	require.Contains(t, again.output(), "The sandbox received nothing this time.")
	require.Regexp(t, `purchase_completed .* delivered +sgtm +1 +accepted`, again.output())
	require.Equal(t, login(t, first.output()), login(t, again.output()), "encrypted values must stay readable")
	require.NoError(t, again.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, again.wait(t), again.output())
}

func TestUpEndsWhenAPartEnds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	up := startUp(t, t.TempDir(), freePorts(t))
	children := childrenOf(t, up.cmd.Process.Pid)
	for _, pid := range children {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); bytes.Contains(line, []byte("\x00sandbox\x00")) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	require.Error(t, up.wait(t))
	require.Contains(t, up.output(), "the sandbox ended by itself; see ")
	requireGone(t, children)
}

func TestUpNamesATakenPortAndItsVariable(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"RELAY_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SANDBOX_PORT", "MYSQL_PORT"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			ports := freePorts(t)
			taken, err := net.Listen("tcp", address(ports[variable]))
			require.NoError(t, err)
			t.Cleanup(func() { _ = taken.Close() })
			out := failUp(t, environment(t.TempDir(), ports))
			require.Regexp(t, fmt.Sprintf(`^dev: port %d is in use, .* choose another port with %s\n$`, ports[variable], variable), out)
		})
	}
}

func TestUpRefusesInvalidPorts(t *testing.T) {
	t.Parallel()
	ports := freePorts(t)
	require.Contains(t, failUp(t, append(environment(t.TempDir(), ports), "RELAY_PORT=http")), `RELAY_PORT: "http" is not a port`)
	ports["RELAY_PORT"] = ports["SANDBOX_PORT"]
	require.Contains(t, failUp(t, environment(t.TempDir(), ports)), "is configured twice: change RELAY_PORT or SANDBOX_PORT")
}

func TestUpUsesADatabaseOfTheUser(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	up := startUp(t, t.TempDir(), freePorts(t), "DATABASE_URL="+url)
	require.Contains(t, up.output(), "3 accepted")
	require.Len(t, childrenOf(t, up.cmd.Process.Pid), 3, "no private database server")
	require.NoError(t, up.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, up.wait(t), up.output())
}

func TestAnUnknownCommandPrintsTheUsage(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), harness.Built(t).Dev[0], "fly")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "usage: dev <command>")
}

// running is "dev up" as a process.
type running struct {
	cmd  *exec.Cmd
	done chan error

	mu   sync.Mutex
	text bytes.Buffer
}

// Write collects what is printed.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(bound):
		t.Fatalf("still running:\n%s", r.output())
		return nil
	}
}

func startUp(t *testing.T, state string, ports map[string]int, env ...string) *running {
	t.Helper()
	r := &running{done: make(chan error, 1)}
	r.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), harness.Built(t).Dev[0], "up")
	r.cmd.Env = append(environment(state, ports), env...)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	r.cmd.WaitDelay = time.Second
	require.NoError(t, r.cmd.Start())
	go func() { r.done <- r.cmd.Wait() }()
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	require.Eventually(t, func() bool { return strings.Contains(r.output(), upLine) || len(r.done) > 0 }, bound, 20*time.Millisecond)
	require.Contains(t, r.output(), upLine)
	return r
}

// failUp runs "dev up" where it cannot start, and returns its output.
func failUp(t *testing.T, env []string) string {
	t.Helper()
	program := harness.Built(t).Dev[0] // the build has no time limit
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "up")
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	return string(out)
}

func environment(state string, ports map[string]int) []string {
	env := append(harness.PlainEnv(), "DEV_STATE_DIR="+state)
	for _, name := range []string{"DBTEST_SERVER", "DBTEST_SERVER_PREFIX"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	for variable, port := range ports {
		env = append(env, variable+"="+strconv.Itoa(port))
	}
	return env
}

func freePorts(t *testing.T) map[string]int {
	t.Helper()
	ports := map[string]int{}
	for _, variable := range []string{"RELAY_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SANDBOX_PORT", "MYSQL_PORT"} {
		port, err := proc.FreePort(t.Context())
		require.NoError(t, err)
		ports[variable] = port
	}
	return ports
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func login(t *testing.T, output string) string {
	t.Helper()
	found := regexp.MustCompile(`login .*`).FindString(output)
	require.NotEmpty(t, found)
	return found
}

// childrenOf lists the processes that pid started.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	var children []int
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		after := string(raw[bytes.LastIndexByte(raw, ')')+1:]) // " S ppid ..."
		if fields := strings.Fields(after); fields[1] == strconv.Itoa(pid) {
			n, err := strconv.Atoi(strings.Split(file, "/")[2])
			require.NoError(t, err)
			children = append(children, n)
		}
	}
	slices.Sort(children)
	return children
}

func requireGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		require.Eventually(t, func() bool { return !alive(pid) }, bound, 10*time.Millisecond, "process %d still runs", pid)
	}
}

// alive reports whether a process runs; a zombie that is not reaped yet does not count.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
