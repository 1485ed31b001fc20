package activities

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
)

// retry is a failed try that is worth another, after d. The end travels as the error's detail: our code, a number, a key.
func retry(end relay.End, d time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(end.String(), string(end.Reason), temporal.ApplicationErrorOptions{
		NextRetryDelay: d,
		Details:        []any{end},
	})
}

// failed is a delivery that has come to a bad end.
func failed(end relay.End) error {
	return temporal.NewApplicationErrorWithOptions(end.String(), string(end.Reason), temporal.ApplicationErrorOptions{
		NonRetryable: true,
		Details:      []any{end},
	})
}

// EndOf is the end that a failed Deliver carries. Without one (a time-out, a lost worker) the attempts' rows must be asked.
func EndOf(err error) (relay.End, bool) {
	var app *temporal.ApplicationError
	var end relay.End
	if !errors.As(err, &app) || !app.HasDetails() || app.Details(&end) != nil {
		return relay.End{}, false
	}
	return end, true
}

// temporary keeps the text of an error away from Temporal: a driver's message may quote what was to be written.
func temporary(err error) error {
	if err == nil {
		return nil
	}
	reason := relay.Reason("internal")
	if errors.Is(err, relay.ErrUnavailable) {
		reason = relay.ReasonDatabaseUnavailable
	}
	return temporal.NewApplicationError(reason.Words(), string(reason))
}

func isNotFound(err error) bool { return errors.Is(err, relay.ErrNotFound) }
