// Package cmd assembles the relay: it reads the environment, makes the parts, and connects them. Nothing
// else knows all of them.
package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"relay/api"
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
	root := newRoot(adapters)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		return 1
	}
	return 0
}

func newRoot(adapters map[string]relay.Adapter) *cobra.Command {
	root := &cobra.Command{
		Use:           "relay",
		Short:         "Accepts marketing events and delivers each to its storefront's destinations",
		Long:          "Marketing Events Relay: accepts marketing events, by HTTP or as rows in MySQL, and delivers each one to the\nstorefront's server-side GTM container or directly to its platforms. Settings come from the environment; see README.md.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		role("serve", "Run API and worker in one process", api.RoleServe, adapters),
		role("api", "Run the API alone: POST /v1/events, admin, health", api.RoleAPI, adapters),
		role("worker", "Run a Temporal worker alone: deliveries and the polling of the inbox", api.RoleWorker, adapters),
		eventsCommand(),
		replayCommand(),
		backlogCommand(),
		destinationsCommand(),
		probeCommand(),
		previewCommand(),
		checkCommand(),
		eraseCommand(),
		notifyCommand(),
		migrateCommand(),
		openapiCommand(adapters),
		healthCommand(),
		keygenCommand(),
		rotateCommand(),
		versionCommand(),
	)
	return root
}

// group is a command that does nothing but hold others: without one of them it fails, so that a script notices.
func group(name, short string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, args []string) error {
		var names []string
		for _, sub := range c.Commands() {
			names = append(names, sub.Name())
		}
		if len(args) > 0 {
			return fmt.Errorf("relay %s has no command %q; it has %s", name, args[0], strings.Join(names, ", "))
		}
		return fmt.Errorf("relay %s needs a command: %s", name, strings.Join(names, ", "))
	}}
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
