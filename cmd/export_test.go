package cmd

import (
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"
)

// NewRoot is the program's root command, without adapters.
func NewRoot() *cobra.Command { return newRoot(nil) }

// NewServer is the API's server.
func NewServer(handler http.Handler) *http.Server {
	return newServer(handler, slog.New(slog.DiscardHandler))
}
