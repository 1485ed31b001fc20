package activities

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
)

// retry returns a retryable error with NextRetryDelay d. The end travels as the error's detail: our code, a number, a key.
func retry(end relay.DeliveryResult, d time.Duration) error {
	return expected(end, temporal.ApplicationErrorOptions{NextRetryDelay: d})
}

// failed returns a non-retryable error that carries the end.
func failed(end relay.DeliveryResult) error {
	return expected(end, temporal.ApplicationErrorOptions{NonRetryable: true})
}

// expected makes a benign error: a vendor that fails is the ordinary course of a delivery, so the SDK neither logs it as an
// error nor counts it as a failed activity. delivery.attempted and the relay's own metrics report it.
func expected(end relay.DeliveryResult, o temporal.ApplicationErrorOptions) error {
	o.Category, o.Details = temporal.ApplicationErrorCategoryBenign, []any{end}
	return temporal.NewApplicationErrorWithOptions(end.String(), string(end.Reason), o)
}

// EndOf is the end that a failed Deliver carries. Without one (a time-out, a lost worker) the attempts' rows must be asked.
func EndOf(err error) (relay.DeliveryResult, bool) {
	var app *temporal.ApplicationError
	var end relay.DeliveryResult
	if !errors.As(err, &app) || !app.HasDetails() || app.Details(&end) != nil {
		return relay.DeliveryResult{}, false
	}
	return end, true
}

// opaque keeps the text of an error away from Temporal: a driver's message may quote what was to be written.
func opaque(err error) error {
	if err == nil {
		return nil
	}
	reason := relay.Reason("internal")
	if errors.Is(err, relay.ErrUnavailable) {
		reason = relay.ReasonDatabaseUnavailable
	}
	return temporal.NewApplicationError(reason.Text(), string(reason))
}

func isNotFound(err error) bool { return errors.Is(err, relay.ErrNotFound) }
