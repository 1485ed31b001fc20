package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"relay/db/dbtest"
	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/internal/proc"
)

// demoAnHour is the number of demo events per hour at noon.
const demoAnHour = 40

//go:embed install-database.sh
var installDatabase string

// up implements make dev.
func up(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dev up", flag.ContinueOnError)
	if done, err := parse(flags, args); done {
		return err
	}
	s, err := readSettings()
	if err != nil {
		return err
	}
	lock, err := lockStateDir(s.stateDir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	keys, err := readSecrets(filepath.Join(s.stateDir, "secrets.env"))
	if err != nil {
		return err
	}
	return s.run(ctx, keys)
}

// lockStateDir ensures that one run at a time uses the folder.
func lockStateDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := proc.Lock(filepath.Join(dir, "lock"))
	if errors.Is(err, proc.ErrLocked) {
		return nil, fmt.Errorf("another run uses %s: stop it, or choose another folder with DEV_STATE_DIR, and other ports", dir)
	}
	return lock, err
}

// prepare installs a database server if there is none, and checks that the ports are free.
func (s *settings) prepare(ctx context.Context) error {
	if s.databaseURL == "" {
		if _, err := dbtest.Find(); errors.Is(err, dbtest.ErrNoServer) {
			if err := install(ctx); err != nil {
				return err
			}
		}
		if err := dbtest.EndOrphan(ctx, s.databaseDir()); err != nil {
			return err
		}
	}
	return s.checkPorts(ctx)
}

func (s *settings) databaseDir() string { return filepath.Join(s.stateDir, "mysql") }

func install(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", installDatabase)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.New("no database server can be run (see above); set DATABASE_URL to use your own")
	}
	return nil
}

// run starts all parts, shows the sample batch, and returns when ctx or a part ends.
func (s *settings) run(ctx context.Context, keys secrets) (err error) {
	began := time.Now()
	say("starting the database, Temporal, its Web UI, the sandbox and the relay ...")
	system, err := s.start(ctx, keys)
	if err != nil {
		return err
	}
	defer func() {
		say("\nstopping ...")
		err = errors.Join(err, system.Stop())
	}()
	relay, err := system.StartRelay(ctx, harness.RelayOptions{Port: s.relay.number})
	if err != nil {
		return err
	}
	say("ready after %.1f s", time.Since(began).Seconds())
	if err := showSample(ctx, system, relay); err != nil {
		return err
	}
	if err := showFanOut(ctx, system, relay); err != nil {
		return err
	}
	say("\na day of demo events is being delivered ...")
	day, err := demo.Fill(ctx, system, demoAnHour)
	if err != nil {
		return fmt.Errorf("a day of demo events: %w", err)
	}
	if err := day.Backdate(ctx, system); err != nil && ctx.Err() == nil {
		say("the demo events keep the time at which they were delivered: %s", err)
	}
	s.showAddresses(system, relay, keys)
	return stay(ctx, system, relay)
}

func (s *settings) start(ctx context.Context, keys secrets) (*harness.System, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	system, err := harness.Start(ctx, harness.Config{
		Programs:      harness.Programs{Dev: []string{self}, Relay: []string{self, "relay"}},
		Dir:           s.stateDir,
		Database:      dbtest.Config{Port: s.mysql.number, Password: keys.mysqlPassword, Durable: true},
		DatabaseURL:   s.databaseURL,
		Temporal:      harness.TemporalOptions{Port: s.temporal.number, UIPort: s.ui.number},
		Sandbox:       harness.SandboxOptions{Port: s.sandbox.number},
		Username:      keys.username,
		Password:      keys.password,
		EncryptionKey: keys.encryptionKey,
		BaseEnv:       append([]string{"RETRY_BACKOFF_BASE=1"}, inherited(os.Environ())...), // the default of 15 minutes in all is too long for a demo
	})
	if err != nil {
		return nil, err
	}
	return system, nil
}

// inherited lets a developer set the relay's variables (MAX_RETRY_ATTEMPTS=3 make dev), except for those that would connect it to
// another Temporal.
func inherited(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "TEMPORAL_") && name != "TEMPORAL_TASK_QUEUE" && name != "TEMPORAL_SEARCH_IDS"
	})
}

// stay returns when ctx ends, or with an error when a part ends by itself.
func stay(ctx context.Context, system *harness.System, relay *harness.Relay) error {
	ended := make(chan string, 4)
	watch := func(what, log string, done <-chan struct{}) {
		go func() {
			<-done
			ended <- what + " ended by itself; see " + log
		}()
	}
	watch("the relay", relay.LogFile(), relay.Done())
	watch("Temporal", system.Temporal.LogFile(), system.Temporal.Done())
	watch("the sandbox", system.Sandbox.LogFile(), system.Sandbox.Done())
	if system.Database != nil {
		watch("the database", system.Database.LogFile(), system.Database.Done())
	}
	select {
	case <-ctx.Done():
		return nil
	case what := <-ended:
		return errors.New(what)
	}
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
