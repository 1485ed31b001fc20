package cmd

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"relay/activities"
	"relay/adapters/outbound"
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

// ReadUsers reads an ADMIN_USERS_FILE.
func ReadUsers(path string) ([]api.AdminLogin, error) { return readUsers(path) }

// Unreadable is the error of a file that cannot be read.
func Unreadable(err error) error { return unreadable(err) }

// Checkout is the version, commit and date of a build that Go has recorded.
func Checkout(info *debug.BuildInfo) [3]string {
	b := checkout(info)
	return [3]string{b.Version, b.Commit, b.Date}
}

// SetBuild sets what -ldflags -X sets, and returns a function that restores it.
func SetBuild(version, revision, date string) (restore func()) {
	old := [3]string{release, commit, built}
	release, commit, built = version, revision, date
	return func() { release, commit, built = old[0], old[1], old[2] }
}

// BuildID is the id under which Temporal lists the workflows of this build.
func BuildID() string { return buildID() }

// NewNotifier sends notices through a client.
func NewNotifier(n Notify, public string, client *outbound.Client) activities.Notifier {
	return notifier{n, public, client}
}

// Check checks the settings of notices.
func (n Notify) Check(private []netip.Prefix) error { return n.check(private) }
