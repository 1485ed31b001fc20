package cmd

import (
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"

	"relay/api"
)

// NewRoot is the program's root command, without adapters.
func NewRoot() *cobra.Command { return newRoot(nil) }

// NewServer is the API's server.
func NewServer(handler http.Handler) *http.Server {
	return newServer(handler, slog.New(slog.DiscardHandler))
}

// Settings lists the variables of a configuration.
func Settings(c Config) []api.Setting { return settings(c) }
