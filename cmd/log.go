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

// sdkLogger is Temporal's SDK in our log. A failed try is a line of ours already (delivery.attempted), so what the SDK says
// of it, and its coming and going, are for debugging.
type sdkLogger struct{ log.Logger }

func newSDKLogger(l *slog.Logger) log.Logger {
	return sdkLogger{log.NewStructuredLogger(l.With("component", "temporal"))}
}

// Info is the SDK's start and stop of workers.
func (l sdkLogger) Info(msg string, fields ...any) { l.Debug(msg, fields...) }

// Error is, where an activity has failed, the ordinary course of a retry.
func (l sdkLogger) Error(msg string, fields ...any) {
	if msg == "Activity error." {
		l.Debug(msg, fields...)
		return
	}
	l.Logger.Error(msg, fields...)
}
