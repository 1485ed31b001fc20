package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// EndOrphan ends the server that a killed run left on a folder, if there is one, as Start does; it serves callers that need
// its port free beforehand. A folder in use by a running process is an error.
func EndOrphan(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil // no earlier run
	}
	s := &Server{config: Config{Dir: dir}}
	if err := s.acquire(); err != nil {
		return err
	}
	return errors.Join(endOrphan(ctx, s.pidFile(), s.dataDir()), s.lock.Close())
}

// endOrphan ends the server that an earlier run left on this folder, if there is one. It is called under the folder's lock,
// so that run has ended.
func endOrphan(ctx context.Context, pidFile, data string) error {
	raw, err := os.ReadFile(pidFile)
	if err != nil {
		return nil // no earlier run
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || !serves(ctx, pid, data) {
		return os.Remove(pidFile)
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, signal); err != nil && serves(ctx, pid, data) {
			return fmt.Errorf("end process %d, a server left on %s: %w", pid, data, err)
		}
		if waitGone(ctx, pid, data) {
			return os.Remove(pidFile)
		}
	}
	return fmt.Errorf("process %d still serves %s", pid, data)
}

func waitGone(ctx context.Context, pid int, data string) bool {
	deadline := time.Now().Add(stopGrace)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if !serves(ctx, pid, data) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return !serves(ctx, pid, data)
}

// serves reports whether process pid is a server on this data folder. The pid alone proves nothing: another program may have
// it by now.
func serves(ctx context.Context, pid int, data string) bool {
	return slices.Contains(arguments(ctx, pid), "--datadir="+data)
}

func arguments(ctx context.Context, pid int) []string {
	if runtime.GOOS == "linux" {
		raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil {
			return nil
		}
		return strings.Split(string(raw), "\x00")
	}
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}
