package cli_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	shared "relay/deploy/tests/world"
)

// openTerminal makes a terminal: what is written to the screen is typed, and what is read from it was shown.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = screen.Close() })
	control(t, screen, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	number := 0
	control(t, screen, func(fd int) (err error) {
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	return screen, terminal
}

// control calls f with the descriptor of a file, which stays one of the poller.
func control(t *testing.T, file *os.File, f func(fd int) error) {
	t.Helper()
	raw, err := file.SyscallConn()
	require.NoError(t, err)
	var failed error
	require.NoError(t, raw.Control(func(fd uintptr) { failed = f(int(fd)) }))
	require.NoError(t, failed)
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	var state *unix.Termios
	control(t, terminal, func(fd int) (err error) {
		state, err = unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	})
	return state.Lflag&unix.ECHO != 0
}

// read reads what is shown, up to a text.
func read(t *testing.T, screen *os.File, text string) string {
	t.Helper()
	require.NoError(t, screen.SetReadDeadline(time.Now().Add(shared.Bound)))
	shown, b := "", make([]byte, 1000)
	for !strings.Contains(shown, text) {
		n, err := screen.Read(b)
		require.NoError(t, err, shown)
		shown += string(b[:n])
	}
	return shown
}

func TestThePasswordIsNotShown(t *testing.T) {
	w, u := setup(t), newUser(t)
	screen, terminal := openTerminal(t)
	c := u.command(t.Context(), "login", w.Relay.URL, "--username", admin, "--no-store")
	c.Stdin, c.Stdout, c.Stderr = terminal, terminal, terminal
	require.NoError(t, c.Start())
	shown := read(t, screen, "Password of anna at "+w.Relay.URL+": ")
	_, err := screen.WriteString(password + "\n")
	require.NoError(t, err)
	shown += read(t, screen, "logged in")
	require.NoError(t, c.Wait())
	require.NotContains(t, shown, password)
	require.True(t, echoes(t, terminal), "the terminal is as before")
	require.Regexp(t, `default +\S+ +anna +no +yes`, u.ok("profiles"))
	require.Contains(t, u.fails(usage, "whoami"), "there is no terminal")
}
