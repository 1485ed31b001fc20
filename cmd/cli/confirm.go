package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Confirm asks before something that cannot be undone. Without a yes, as where the input ends, its error says that nothing
// was done, in the command's own word for it.
func Confirm(ctx context.Context, in io.Reader, out io.Writer, question, done string) error {
	_, _ = fmt.Fprintf(out, "%s [y/N] ", question)
	line, err := readLine(ctx, in)
	if err != nil {
		_, _ = fmt.Fprintln(out) // ends the question's line
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(line), "y") {
		return problem("nothing was %s: it was not confirmed; --yes skips the question", done)
	}
	return nil
}

func (r *remote) confirm(ctx context.Context, question, done string) error {
	return Confirm(ctx, r.in, r.out, question, done)
}

// readLine reads a line, without its end, until ctx ends. It takes no byte behind the line, which may be the response to the next
// question. Only an interruption is an error.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	got := make(chan string, 1)
	go func() { // outlives Ctrl-C, until the program ends
		var line []byte
		for b := make([]byte, 1); ; {
			n, err := in.Read(b)
			if n == 1 && b[0] != '\n' {
				line = append(line, b[0])
			}
			if n == 1 && b[0] == '\n' || err != nil {
				got <- strings.TrimRight(string(line), "\r")
				return
			}
		}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line := <-got:
		return line, ctx.Err()
	}
}
