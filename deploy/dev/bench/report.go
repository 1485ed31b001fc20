package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is one run.
type Report struct {
	Began   time.Time `json:"began"`
	Took    float64   `json:"took_s"`
	Quick   bool      `json:"quick,omitempty"`
	Machine Machine   `json:"machine"`
	Sizes   sizes     `json:"sizes"`
	Results []Result  `json:"results"`
}

// text is the result as a table for a terminal.
func (r *Result) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s (%.0f s)\n", r.Title, r.Took)
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		_, _ = fmt.Fprintf(w, "  %s\t%s %s\t%s\n", f.Name, number(f.Value), f.Unit, goals(f.Goals))
	}
	_ = w.Flush() // a builder takes everything
	for _, n := range r.Notes {
		fmt.Fprintf(&out, "  %s\n", n)
	}
	return out.String()
}

func goals(all []Goal) string {
	texts := make([]string, len(all))
	for i, g := range all {
		texts[i] = g.String()
	}
	return strings.Join(texts, ", ")
}

// write writes bench.json and BENCHMARKS.md.
func (r *Report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents are for everybody
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(raw, '\n'), 0o644); err != nil { //nolint:gosec // as above
		return err
	}
	return os.WriteFile(filepath.Join(dir, "BENCHMARKS.md"), []byte(r.markdown()), 0o644) //nolint:gosec // as above
}

const preface = `# Benchmarks

Written by ` + "`make bench`" + `, which measures the running relay (processes, real database with every commit synced, real Temporal)
beside the bare floor in the same run on the same servers. **The ratios are what counts**: they stay the same from machine to
machine, absolute figures do not. Candidate and floor alternate; of several rounds the median is shown. The same figures are
in ` + "`bench.json`" + `. ` + "`bin/dev bench --help`" + ` lists scenarios and options.

`

func (r *Report) markdown() string {
	var out strings.Builder
	out.WriteString(preface)
	m := r.Machine
	fmt.Fprintf(&out, "%s, %.0f minutes. %d cores", r.Began.Format("2006-01-02 15:04 UTC"), r.Took/60, m.Cores)
	if m.Processor != "" {
		fmt.Fprintf(&out, " (%s)", m.Processor)
	}
	fmt.Fprintf(&out, ", %.0f GiB, %s; %s; %s; Temporal server %s, SDK %s; load of other programs at the start %s", m.MemoryGiB,
		m.System, m.Go, m.Database, m.Temporal, m.SDK, number(m.Load))
	if m.Revision != "" {
		fmt.Fprintf(&out, "; revision %s", m.Revision)
	}
	out.WriteString(".\n")
	if r.Quick {
		out.WriteString("\n**Small sizes (--quick): not for quoting.**\n")
	}
	for i := range r.Results {
		r.Results[i].markdown(&out)
	}
	return out.String()
}

func (r *Result) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "\n## %s\n\n| figure | value | goal |\n|---|---:|---|\n", r.Title)
	for _, f := range r.Figures {
		fmt.Fprintf(out, "| %s | %s %s | %s |\n", f.Name, number(f.Value), f.Unit, goals(f.Goals))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "\n%s\n", n)
	}
}
