package cmd_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

// asked is a command that has shown a text, and reads standard input, which has nothing to read.
func asked(t *testing.T, text string, args ...string) (*exec.Cmd, <-chan struct{}) {
	t.Helper()
	home := t.TempDir()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = []string{asRelay + "=yes", "HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH")}
	in, err := c.StdinPipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = in.Close() })
	shown, out := io.Pipe()
	c.Stdout, c.Stderr = out, out
	require.NoError(t, c.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // the test reads its state
		_ = out.Close()
	}()
	said, b := "", make([]byte, 1000)
	for !strings.Contains(said, text) {
		n, err := shown.Read(b)
		said += string(b[:n])
		require.NoError(t, err, said)
	}
	go func() { _, _ = io.Copy(io.Discard, shown) }()
	return c, ended
}

func TestASignalEndsAQuestion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		text   string
		args   []string
	}{
		"Ctrl-C at a confirmation":  {syscall.SIGINT, "[y/N]", []string{"erase", "--order", "o-1"}},
		"SIGTERM at a confirmation": {syscall.SIGTERM, "[y/N]", []string{"erase", "--order", "o-1"}},
		"Ctrl-C at a name":          {syscall.SIGINT, "Name of the login", []string{"login", "http://localhost:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command, ended := asked(t, c.text, c.args...)
			require.NoError(t, command.Process.Signal(c.signal))
			select {
			case <-ended:
				require.Equal(t, cli.ExitInterrupted, command.ProcessState.ExitCode())
			case <-time.After(time.Minute):
				require.Fail(t, "it still asks")
			}
		})
	}
}

func TestASecondSignalEndsTheProgramAtOnce(t *testing.T) {
	t.Parallel()
	c, ended := asked(t, "over http", "login", "http://192.0.2.1", "--username", "anna", "--password-file", "-") // reads to the end of standard input
	bound := time.After(time.Minute)
	for again := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-again.C:
			_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
		case <-ended:
			require.Equal(t, syscall.SIGTERM, c.ProcessState.Sys().(syscall.WaitStatus).Signal())
			return
		case <-bound:
			require.Fail(t, "it catches every signal")
		}
	}
}
