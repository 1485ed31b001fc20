// Package chaos is the crash suite: it runs the whole system under a steady load, kills its parts with SIGKILL at random
// moments, makes destinations and Temporal's storage fail, and then compares every accepted event with its row, its attempts
// and the requests that the destinations received. It checks the relay's promises and does not depend on its implementation.
package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"relay/deploy/dev/harness"
)

// Options configure a run. Programs and Dir are required, the others have defaults.
type Options struct {
	Programs harness.Programs
	Dir      string        // for the systems' files; each round has a folder of its own in it
	Rounds   int           // each is a fresh system; every second one has a Temporal whose storage fails
	Kills    int           // in all
	Events   int           // in all
	For      time.Duration // for load and kills, without the wait until the system is idle
	Seed     uint64        // selects the order of kills; their moments still depend on the machine
	// Outages makes one destination refuse every request, once per round, for long enough to count as unhealthy.
	Outages bool
	Out     io.Writer // progress
}

// faultRate is the share of Temporal's storage calls that fail in every second round.
const faultRate = 0.05

// Command implements "dev chaos".
func Command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dev chaos", flag.ContinueOnError)
	o := Options{Outages: true, Out: os.Stderr}
	flags.IntVar(&o.Rounds, "rounds", 4, "fresh systems, one after another; every second one has a Temporal whose storage fails")
	flags.IntVar(&o.Kills, "kills", 200, "processes to kill in all")
	flags.IntVar(&o.Events, "events", 50_000, "events to send in all")
	minutes := flags.Float64("minutes", 15, "time for load and kills; the rest is omitted")
	flags.Uint64Var(&o.Seed, "seed", 0, "repeats the choices of an earlier run; 0 chooses a new seed")
	flags.StringVar(&o.Dir, "dir", "", "folder for the systems' files, kept; default: a temporary one, removed unless a promise was broken")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.For = time.Duration(*minutes * float64(time.Minute))
	o.Programs = harness.Programs{Dev: []string{self}, Relay: []string{self, "relay"}}
	temporary := o.Dir == ""
	if temporary {
		if o.Dir, err = os.MkdirTemp("", "relay-chaos-"); err != nil {
			return err
		}
	}
	report, err := Run(ctx, o)
	fmt.Print(report)
	if err != nil {
		return fmt.Errorf("%w (files: %s)", err, o.Dir)
	}
	if temporary {
		return os.RemoveAll(o.Dir)
	}
	return nil
}

// Run runs all rounds. Its error names the broken promises; the report holds the measurements up to then.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1_000_000) + 1
	}
	report := Report{Machine: describeMachine(), Began: time.Now(), Seed: o.Seed}
	defer func() { report.Took = time.Since(report.Began) }()
	for n := range o.Rounds {
		r, err := o.round(ctx, n)
		report.Rounds = append(report.Rounds, r)
		report.Database = r.database
		if err == nil {
			err = r.Verdict.err()
		}
		report.Took = time.Since(report.Began)
		if err != nil {
			return report, fmt.Errorf("round %d of seed %d: %w", n+1, o.Seed, err)
		}
	}
	return report, nil
}

// round runs one fresh system: load and kills, with API and worker in two processes in its first half and in one in its second, then
// the wait until it is idle, then the check.
func (o Options) round(ctx context.Context, n int) (r Round, err error) {
	random := rand.New(rand.NewPCG(o.Seed, uint64(n))) //nolint:gosec // a repeatable sequence is intended
	r = Round{Number: n + 1}
	if n%2 == 1 {
		r.FaultRate = faultRate
	}
	env, err := newEnv(ctx, o, filepath.Join(o.Dir, fmt.Sprintf("round-%d", n+1)), r.FaultRate)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, env.close()) }()
	r.database = env.system.Database.Version()

	duration := o.For / time.Duration(o.Rounds)
	load := startLoad(ctx, env, o.Events/o.Rounds, duration)
	trouble := startTrouble(ctx, env, rand.New(rand.NewPCG(o.Seed, uint64(n)+1<<32)), duration, o.Outages) //nolint:gosec // a repeatable sequence is intended
	r.Crashes, err = env.crash(ctx, random, o.Kills/o.Rounds, duration)
	err = errors.Join(err, load.wait(), trouble.stop())
	if err != nil {
		return r, err
	}
	o.say("round %d: %d events accepted, %d processes killed; waiting until all events have ended", r.Number, load.accepted(), len(kinds(r.Crashes)))
	r.Settled, err = env.settle(ctx)
	if err != nil {
		return r, err
	}
	return r, env.judge(ctx, load, &r)
}

func (o Options) say(format string, args ...any) {
	if o.Out != nil {
		_, _ = fmt.Fprintf(o.Out, format+"\n", args...)
	}
}
