package cmd

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"relay/activities"
	"relay/adapters/outbound"
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

// NewAttemptMeter is a meter that counts attempts of one minute, and its flush.
func NewAttemptMeter(store attemptStore, now time.Time) (activities.Meter, func()) {
	a := newAttemptCounter(store, slog.New(slog.DiscardHandler))
	a.now = func() time.Time { return now }
	return countingMeter{nil, a}, func() { a.flush(context.Background()) }
}

// NewNotifier sends notices through a client.
func NewNotifier(n Notify, public string, client *outbound.Client) activities.Notifier {
	return notifier{n, public, client}
}

// Check checks the settings of notices.
func (n Notify) Check(private []netip.Prefix) error { return n.check(private) }
