package cmd

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"relay/activities"
	"relay/api"
)

// NewRoot is the program's root command, without adapters.
func NewRoot() *cobra.Command { return newRoot(nil) }

// Document is the OpenAPI document.
func Document(ctx context.Context) ([]byte, error) { return document(ctx, nil) }

// NewServer is the API's server.
func NewServer(handler http.Handler) *http.Server {
	return newServer(handler, slog.New(slog.DiscardHandler))
}

// Settings lists the variables of a configuration.
func Settings(c Config) []api.Setting { return settings(c) }

// NewAttemptMeter is a meter that counts attempts of one minute, and its flush.
func NewAttemptMeter(store attemptStore, now time.Time) (activities.Meter, func()) {
	a := newAttemptCounter(store, slog.New(slog.DiscardHandler))
	a.now = func() time.Time { return now }
	return countingMeter{nil, a}, func() { a.flush(context.Background()) }
}
