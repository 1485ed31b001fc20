// Package bench measures the relay as it runs, beside the bare floor in the same run and on the same servers: absolute
// numbers depend on the machine more than on the program. Candidate and floor alternate, and the median of several rounds
// counts.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"relay/deploy/dev/harness"
	"relay/deploy/lab/bench/floor"
)

// scenario is one measurement.
type scenario struct {
	name  string
	title string
	run   func(context.Context, *run) error
}

// scenarios in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"ingest", "Ingest: a batch acknowledged, against the bare INSERT of the same rows", ingest},
		{"drain", "Drain: a backlog delivered, against bare workflows of the same shape", drain},
		{"apart", "Drain with API and worker apart, against bare workflows of the same shape", drainApart},
		{"workers", "Drain with two workers, against bare workflows of the same shape", drainWorkers},
		{"rest", "One event at rest: POST to arrival", rest},
		{"openloop", "Open loop: POST to arrival at a steady rate", openLoop},
		{"neighbour", "Noisy neighbour: A at 20 a second beside a busy B", neighbour},
		{"memory", "Memory while a large backlog drains", memory},
		{"fanout", "Fan-out to five destinations, against bare workflows with five activities", fanOut},
		{"limited", "Limited destination: one event at a time, beside a quiet storefront", limited},
		{"storm", "Retry storm: events due in the same moment", storm},
		{"outage", "Blip and outages of a destination under a batch, without other traffic", outage},
		{"size", "Claim, search and stats in a small table and in a large one", size},
	}
}

// sizes are the amounts that are measured.
type sizes struct {
	Batch      int `json:"batch"`       // events of a batch, and of a drain
	Rounds     int `json:"rounds"`      // of batches
	Drains     int `json:"drains"`      // rounds of drains
	Singles    int `json:"singles"`     // events at rest
	Seconds    int `json:"seconds"`     // of an open loop
	Slow       int `json:"slow"`        // events of the neighbour whose destination is slow
	Backlog    int `json:"backlog"`     // events of the neighbour whose destination is fast
	Memory     int `json:"memory"`      // events that drain while memory is watched
	FanOut     int `json:"fan_out"`     // events to five destinations
	Storm      int `json:"storm"`       // events due in the same moment
	Limited    int `json:"limited"`     // events of a limited destination
	Blip       int `json:"blip"`        // events whose first attempt alone fails
	Backoff    int `json:"backoff"`     // seconds, of the outages
	Outage     int `json:"outage"`      // seconds of the longest outage
	SmallTable int `json:"small_table"` // rows
	LargeTable int `json:"large_table"` // rows
	Calls      int `json:"calls"`       // of each query
}

var (
	fullSizes = sizes{
		Batch: 4000, Rounds: 15, Drains: 3, Singles: 200, Seconds: 30, Slow: 1000, Backlog: 100_000, Memory: 100_000,
		FanOut: 500, Storm: 20_000, Limited: 4000, Blip: 500, Backoff: 60, Outage: 3600, SmallTable: 10_000, LargeTable: 10_000_000, Calls: 51,
	}
	quickSizes = sizes{
		Batch: 1000, Rounds: 5, Drains: 1, Singles: 50, Seconds: 10, Slow: 400, Backlog: 5000, Memory: 5000,
		FanOut: 200, Storm: 500, Limited: 400, Blip: 200, Backoff: 10, Outage: 60, SmallTable: 10_000, LargeTable: 100_000, Calls: 15,
	}
)

// run is one run of the benchmark.
type run struct {
	programs harness.Programs
	dir      string // holds the scenarios' files until they end
	sizes    sizes
	progress func(format string, args ...any)
	env      []string // further variables of the relays
	result   *Result  // of the running scenario
	machine  *Machine
}

// Command implements "dev bench".
func Command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "floor" { // the floor's own process, which a run starts
		flags := flag.NewFlagSet("dev bench floor", flag.ContinueOnError)
		address := flags.String("temporal", "", "address of Temporal")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return floor.Process(ctx, *address, os.Stdin, os.Stdout)
	}
	o, err := readOptions(args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	return o.run(ctx)
}

// options of the command line.
type options struct {
	sizes sizes
	quick bool
	out   string
	only  []string
	env   []string
}

func readOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("dev bench", flag.ContinueOnError)
	flags.Usage = func() {
		w := flags.Output()
		_, _ = fmt.Fprintln(w, "usage: dev bench [options] [scenario ...]\n\nscenarios:")
		for _, s := range scenarios() {
			_, _ = fmt.Fprintf(w, "  %-10s %s\n", s.name, s.title)
		}
		_, _ = fmt.Fprintln(w, "\noptions:")
		flags.PrintDefaults()
	}
	var o options
	var large, backlog, storm int
	flags.BoolVar(&o.quick, "quick", false, "small sizes, a few minutes in all: to see that it runs, not for numbers to quote")
	flags.StringVar(&o.out, "out", "", "folder of benchmarks.json and BENCHMARKS.md, where the scenarios that were run replace what stood there of them; default docs at full size, else none")
	flags.Func("env", "variable of the relay, as NAME=VALUE, any number; RELAY_DEV_PROFILES=127.0.0.1:6060 serves its profiles", func(pair string) error {
		if !strings.Contains(pair, "=") {
			return errors.New("want NAME=VALUE")
		}
		o.env = append(o.env, pair)
		return nil
	})
	flags.IntVar(&large, "rows", 0, "rows of the large table")
	flags.IntVar(&backlog, "backlog", 0, "events of the large backlogs (memory, neighbour)")
	flags.IntVar(&storm, "storm", 0, "events of the retry storm")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.sizes, o.only = fullSizes, flags.Args()
	if o.quick {
		o.sizes = quickSizes
	}
	full := o.sizes
	set(&o.sizes.LargeTable, large)
	set(&o.sizes.Memory, backlog)
	set(&o.sizes.Backlog, backlog)
	set(&o.sizes.Storm, storm)
	for _, name := range o.only {
		if !slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.name == name }) {
			return o, fmt.Errorf("scenario %q: see dev bench --help", name)
		}
	}
	if o.out == "" && !o.quick && o.sizes == full && len(o.env) == 0 {
		o.out = "docs"
		if _, err := os.Stat(o.out); err != nil { // elsewhere it would begin a second one
			return o, fmt.Errorf("-out: the default is for the repository's own folder: %w", err)
		}
	}
	return o, nil
}

func set(n *int, value int) {
	if value > 0 {
		*n = value
	}
}

func (o options) run(ctx context.Context) error {
	programs, err := findPrograms()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "relay-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	report := Report{Quick: o.quick, Sizes: o.sizes, Machine: describeMachine()}
	r := &run{programs: programs, dir: dir, sizes: o.sizes, env: o.env, machine: &report.Machine, progress: say}
	for _, s := range scenarios() {
		if len(o.only) > 0 && !slices.Contains(o.only, s.name) {
			continue
		}
		r.result = &Result{Scenario: s.name, Title: s.title, Began: time.Now().UTC().Truncate(time.Second), Load: load(), Revision: report.Machine.Revision}
		say("%s ...", s.title)
		began := time.Now()
		if err := s.run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.result.Took = time.Since(began).Seconds()
		report.Results = append(report.Results, *r.result)
		fmt.Print(r.result.text(), "\n")
		if o.out == "" {
			continue
		}
		if err := report.write(o.out); err != nil { // after each, so that an interrupted run is not lost
			return err
		}
	}
	return nil
}

// findPrograms returns this program and the relay that was built beside it.
func findPrograms() (harness.Programs, error) {
	self, err := os.Executable()
	if err != nil {
		return harness.Programs{}, err
	}
	relay := filepath.Join(filepath.Dir(self), "relay-dev")
	if _, err := os.Stat(relay); err != nil {
		return harness.Programs{}, errors.New("relay-dev is not beside this program: make bench builds both")
	}
	return harness.Programs{Dev: []string{self}, Relay: []string{relay}}, nil
}

func say(format string, args ...any) {
	fmt.Fprintln(os.Stderr, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}
