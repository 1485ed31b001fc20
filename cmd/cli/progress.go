package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const barWidth = 40

// lineEnds is the text before and after a line that shows progress: on a terminal it replaces the last one.
func lineEnds(out io.Writer) (begin, end string) {
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return "\r\x1b[K", ""
		}
	}
	return "", "\n"
}

// Progress draws how much of something is done, and ends the line where everything is.
type Progress struct {
	Out   io.Writer
	Label string
	last  string
}

// Draw shows how many of all are done.
func (p *Progress) Draw(done, all int64) {
	begin, end := lineEnds(p.Out)
	share := int(barWidth * min(done, all) / max(1, all))
	line := fmt.Sprintf("[%s%s] %d of %d %s", strings.Repeat("#", share), strings.Repeat(".", barWidth-share), done, all, p.Label)
	if line == p.last {
		return
	}
	p.last = line
	_, _ = fmt.Fprintf(p.Out, "%s%s%s", begin, line, end)
}

// Done ends the line of a terminal.
func (p *Progress) Done() {
	if _, end := lineEnds(p.Out); end == "" && p.last != "" {
		_, _ = fmt.Fprintln(p.Out)
	}
}
