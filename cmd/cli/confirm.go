package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Confirm asks before something that cannot be taken back. Without a yes, as where there is nobody to ask, its error says that nothing
// was done, in the command's own word for it.
func Confirm(in io.Reader, out io.Writer, question, done string) error {
	_, _ = fmt.Fprintf(out, "%s [y/N] ", question)
	line, _ := bufio.NewReader(in).ReadString('\n')
	if !strings.EqualFold(strings.TrimSpace(line), "y") {
		return problem("nothing was %s: it was not confirmed; --yes skips the question", done)
	}
	return nil
}

func (r *remote) confirm(question, done string) error { return Confirm(r.in, r.out, question, done) }
