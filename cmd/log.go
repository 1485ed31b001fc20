package cmd

import (
	"log/slog"
	"os"

	"go.temporal.io/sdk/log"
)

func newLogger(debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// sdkLogger is Temporal's SDK in our log. A vendor's failure does not reach it: activities return those as benign errors, which
// the SDK logs at debug level.
type sdkLogger struct{ log.Logger }

func newSDKLogger(l *slog.Logger) log.Logger {
	return sdkLogger{log.NewStructuredLogger(l.With("component", "temporal"))}
}

// Info is the SDK's start and stop of workers: for debugging.
func (l sdkLogger) Info(msg string, fields ...any) { l.Debug(msg, fields...) }
