package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report holds the measurements on one machine, in one run or in parts.
type Report struct {
	Quick   bool     `json:"quick,omitempty"`
	Machine Machine  `json:"machine"`
	Sizes   sizes    `json:"sizes"`
	Results []Result `json:"results"`
}

// text returns the result as a table for a terminal.
func (r *Result) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s (%.0f s)\n", r.Title, r.Took)
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, f := range r.Metrics {
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

// write writes benchmarks.json and BENCHMARKS.md. Results of other scenarios from earlier runs stay. The report itself does
// not include them: the same run may measure one of them again.
func (r Report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents are for everybody
		return err
	}
	file := filepath.Join(dir, "benchmarks.json")
	if err := r.keepOthers(file); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil { //nolint:gosec // as above
		return err
	}
	return os.WriteFile(filepath.Join(dir, "BENCHMARKS.md"), []byte(r.markdown()), 0o644) //nolint:gosec // as above
}

// keepOthers keeps the results of scenarios that were not run now if they are of this machine and these sizes: others do not
// belong into one table.
func (r *Report) keepOthers(file string) error {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var before Report
	if err := json.Unmarshal(raw, &before); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if !before.Machine.same(r.Machine) || before.Sizes != r.Sizes || before.Quick != r.Quick {
		return nil
	}
	r.Results = slices.Clone(r.Results)
	for _, old := range before.Results {
		if !slices.ContainsFunc(r.Results, func(n Result) bool { return n.Scenario == old.Scenario }) {
			r.Results = append(r.Results, old)
		}
	}
	place := func(of Result) int {
		return slices.IndexFunc(scenarios(), func(s scenario) bool { return s.name == of.Scenario })
	}
	slices.SortStableFunc(r.Results, func(a, b Result) int { return place(a) - place(b) })
	return nil
}

const preface = `# Benchmarks

Written by ` + "`make bench`" + `, which measures the running relay (processes, real database with every commit synced, real Temporal)
beside the bare floor in the same run on the same servers. **Only the ratios count**: they stay the same from machine to
machine, absolute numbers do not. Candidate and floor alternate; of several rounds the median is shown. The same numbers are
in ` + "`benchmarks.json`" + `. ` + "`bin/dev bench --help`" + ` lists scenarios and options; a scenario that is run by itself replaces its part here.

The floor has the settings of the relay's Temporal: one node, SQLite with every workflow commit synced, the list of workflows in an
unsynced file of its own without the unused indexes, one task queue partition, no metrics, GOGC=400.

`

func (r *Report) markdown() string {
	var out strings.Builder
	out.WriteString(preface)
	m := r.Machine
	fmt.Fprintf(&out, "%d cores", m.Cores)
	if m.Processor != "" {
		fmt.Fprintf(&out, " (%s)", m.Processor)
	}
	fmt.Fprintf(&out, ", %.0f GiB, %s; %s; %s; Temporal server %s, SDK %s.\n", m.MemoryGiB, m.System, m.Go, m.Database, m.Temporal, m.SDK)
	if r.Quick {
		out.WriteString("\n**Small sizes (--quick): not for quoting.**\n")
	}
	for i := range r.Results {
		r.Results[i].markdown(&out)
	}
	return out.String()
}

func (r *Result) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "\n## %s\n\n| metric | value | goal |\n|---|---:|---|\n", r.Title)
	for _, f := range r.Metrics {
		fmt.Fprintf(out, "| %s | %s %s | %s |\n", f.Name, number(f.Value), f.Unit, goals(f.Goals))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "\n%s\n", n)
	}
	fmt.Fprintf(out, "\nMeasured %s in %.0f s; load of the machine before it %s", r.Began.Format("2006-01-02 15:04 UTC"), r.Took, number(r.Load))
	if r.Revision != "" {
		fmt.Fprintf(out, "; revision %s", r.Revision)
	}
	out.WriteString(".\n")
}
