package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"relay/internal/relay"
)

// terminal asks a user for secrets.
type terminal struct {
	in      io.Reader // standard input
	notices io.Writer
}

// password asks a question, and reads the response without showing it.
func (t terminal) password(ctx context.Context, question string) (relay.Secret, error) {
	tty, done := t.open()
	if tty == nil {
		return relay.Secret{}, usagef("%q cannot be asked: there is no terminal; use a file, standard input or the environment", strings.TrimSuffix(question, ": "))
	}
	defer done()
	restore, err := hideInput(tty)
	if err != nil {
		return relay.Secret{}, usagef("the terminal cannot hide what is typed: %w", err)
	}
	defer restore()
	_, _ = fmt.Fprint(t.notices, question)
	defer func() { _, _ = fmt.Fprintln(t.notices) }()
	line, err := readLine(ctx, tty)
	if err == nil && line == "" {
		err = usagef("nothing was entered")
	}
	return relay.NewSecret(line), err
}

// open finds the terminal: standard input, or that of the program where standard input is something else. Anything else in place of
// standard input is a test's.
func (t terminal) open() (*os.File, func()) {
	f, ok := t.in.(*os.File)
	if !ok {
		return nil, nil
	}
	if isTerminal(f) {
		return f, func() {}
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, nil
	}
	return tty, func() { _ = tty.Close() }
}
