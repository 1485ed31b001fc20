// Package cmd assembles the relay: it reads the environment, makes the parts, and connects them. Nothing
// else knows all of them.
package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/cmd/cli"
	"relay/db"
	"relay/internal/relay"
)

// gcPercent trades memory for time: the heap of an idle process is small, and a batch of thousands of events causes many
// collections. Twice the default saves a twentieth of the time of such a batch.
const gcPercent = 200

// Main runs the program with its arguments and returns the exit code. adapters are the platforms it supports.
func Main(ctx context.Context, args []string, adapters map[string]relay.Adapter) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, as if nothing caught it
	root := newRoot(adapters)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		return cli.ExitCode(err)
	}
	return cli.ExitDone
}

func newRoot(adapters map[string]relay.Adapter) *cobra.Command {
	root := &cobra.Command{
		Use:   "relay",
		Short: "Accepts marketing events and delivers each to its storefront's destinations",
		Long: "Marketing Events Relay: accepts marketing events, by HTTP or as rows in MySQL, and delivers each one to the storefront's server-side GTM " +
			"container or directly to its platforms. Settings come from the environment; see README.md.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(cli.GroupRun,
		role("serve", "Run API and worker in one process", api.RoleServe, adapters),
		role("api", "Run the API alone: POST /v1/events, admin, health", api.RoleAPI, adapters),
		role("worker", "Run a worker alone: deliveries, polling of the inbox", api.RoleWorker, adapters),
		migrateCommand(),
		healthCommand(),
		keygenCommand(),
		rotateCommand(),
	)
	add(cli.GroupOthers, openapiCommand(adapters), versionCommand())
	cli.AddTo(root, surroundings())
	return root
}

func role(name, short string, r api.Role, adapters map[string]relay.Adapter) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := Load()
			if err != nil {
				return err
			}
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(gcPercent)
			}
			return Run(c.Context(), r, cfg, adapters)
		},
	}
}

func keygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen",
		Short: "Print a new key for ENCRYPTION_KEY",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			key, err := db.GenerateKey()
			if err == nil {
				_, err = fmt.Fprintln(c.OutOrStdout(), key)
			}
			return err
		},
	}
}
