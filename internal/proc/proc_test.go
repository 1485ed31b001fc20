package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/proc"
)

// role makes the test binary act as one of the programs of these tests.
const role = "PROC_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parent": // of a child that knows nothing of us
		p, err := proc.Start(exec.CommandContext(context.Background(), "sleep", "600"))
		fmt.Println(p.Pid(), err)
		select {}
	case "child":
		proc.ExitWithParent()
		fmt.Println("running", os.Getenv("RELAY_LIFELINE_FD"))
		time.Sleep(time.Minute)
	default:
		os.Exit(m.Run())
	}
}

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	p, out := startShell(t, `trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	require.Equal(t, "ready", out())
	require.NoError(t, p.Err(), "still running")
	require.NoError(t, p.Stop(time.Minute))
	var exit *exec.ExitError
	require.ErrorAs(t, p.Err(), &exit)
	require.Equal(t, 3, exit.ExitCode())
	require.NoError(t, p.Stop(time.Minute), "stopping twice is not an error")
}

func TestStopKillsAProcessThatIgnoresTheSignal(t *testing.T) {
	t.Parallel()
	p, out := startShell(t, `trap '' TERM; echo ready; while :; do sleep 0.05; done`)
	require.Equal(t, "ready", out())
	require.ErrorIs(t, p.Stop(50*time.Millisecond), proc.ErrKilled)
	require.Error(t, p.Err())
}

func TestAMissingProgramIsAnError(t *testing.T) {
	t.Parallel()
	_, err := proc.Start(exec.CommandContext(context.Background(), "/no/such/program"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnyChildEndsWithItsKilledParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a program that does not watch its parent")
	}
	parent, out := reexec(t, "parent", nil)
	var pid int
	_, err := fmt.Sscan(out(), &pid)
	require.NoError(t, err)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return gone(pid) }, time.Minute, 10*time.Millisecond)
}

// Without the kernel's parent-death signal: the pipe alone ends the child.
func TestAChildThatReadsItsLifelineEndsWithIt(t *testing.T) {
	t.Parallel()
	theirs, ours, err := os.Pipe()
	require.NoError(t, err)
	child, out := reexec(t, "child", theirs)
	require.NoError(t, theirs.Close())
	require.Equal(t, "running", strings.TrimSpace(out()), "the variable is not passed on")
	require.NoError(t, ours.Close())
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case err := <-ended:
		require.Error(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the child outlived its lifeline")
	}
}

func TestExitWithParentWithoutAParentDoesNothing(t *testing.T) {
	proc.ExitWithParent()
}

func TestALockHasOneHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := proc.Lock(path)
	require.NoError(t, err)
	_, err = proc.Lock(path)
	require.ErrorIs(t, err, proc.ErrLocked)
	got := make(chan error, 1)
	go func() {
		second, err := proc.WaitLock(path)
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	require.NoError(t, first.Close())
	require.NoError(t, <-got)
}

// startShell starts a shell script as a supervised child; the function returns its next line.
func startShell(t *testing.T, script string) (*proc.Process, func() string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-c", script)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = w
	p, err := proc.Start(cmd)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	t.Cleanup(p.Kill)
	return p, lines(t, bufio.NewReader(r))
}

func reexec(t *testing.T, as string, lifeline *os.File) (*exec.Cmd, func() string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(context.Background(), self)
	cmd.Env = append(os.Environ(), role+"="+as)
	if lifeline != nil {
		cmd.ExtraFiles = []*os.File{lifeline}
		cmd.Env = append(cmd.Env, "RELAY_LIFELINE_FD="+strconv.Itoa(3))
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, lines(t, bufio.NewReader(out))
}

func lines(t *testing.T, r *bufio.Reader) func() string {
	return func() string {
		t.Helper()
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		return strings.TrimSuffix(line, "\n")
	}
}

// gone counts a zombie as ended: it may not be reaped yet.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || err == nil && strings.Contains(string(stat), ") Z ")
}
