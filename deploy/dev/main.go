// Command dev runs the whole relay on one machine: database, Temporal with its Web UI, a sandbox in place of the destinations,
// and the relay. Each part is also a command of its own.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"relay/deploy/dev/relaydev"
	"relay/deploy/lab/bench"
	"relay/deploy/lab/chaos"
	"relay/internal/proc"
)

const usage = `usage: dev <command>

  up        run everything and send the brief's sample batch
  temporal  run Temporal and its Web UI alone
  sandbox   run the sandbox alone, which simulates sGTM and the platforms
  mysql     run a private MySQL-compatible server alone
  chaos     kill every part at random moments under load, and check that nothing was lost
  relay     run the relay with the sandbox platform; "dev relay --help" lists its commands
  bench     measure the relay beside bare MySQL and bare Temporal

"dev <command> --help" lists a command's options.
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "relay" {
		os.Exit(relaydev.Main(context.Background(), os.Args[2:]))
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	proc.ExitWithParent()
	commands := map[string]func(context.Context, []string) error{
		"up": up, "temporal": runTemporal, "sandbox": runSandbox, "mysql": runMySQL, "chaos": chaos.Command, "bench": bench.Command,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends this process at once, and its children with it
	if err := commands[args[0]](ctx, args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		return 1
	}
	return 0
}
