package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Exit codes. Scripts may rely on them; relay docs lists them.
const (
	ExitDone         = 0
	ExitFailed       = 1   // anything without a code of its own
	ExitUsage        = 2   // a command, flag, argument or setting is wrong; nothing was sent
	ExitNotFound     = 3   // there is no such thing
	ExitUnauthorized = 4   // the login is refused, or may not do this
	ExitRefused      = 5   // the relay refuses what was sent
	ExitConflict     = 6   // it was changed meanwhile, is in use, or its state does not allow this
	ExitUnavailable  = 7   // no relay responds, or it cannot work at present
	ExitProblem      = 8   // the command worked, and found a problem or had nothing to do
	ExitInterrupted  = 130 // Ctrl-C
)

// ExitCodes describes each, for the reference.
var ExitCodes = []struct {
	Code int
	Text string
}{
	{ExitDone, "done"},
	{ExitFailed, "failed, for a reason without a code of its own"},
	{ExitUsage, "a command, flag, argument, file or setting is wrong; nothing was sent"},
	{ExitNotFound, "there is no such storefront, destination, event, ... (404)"},
	{ExitUnauthorized, "the login was refused, or may not do this (401, 403)"},
	{ExitRefused, "the relay refuses what was sent (400, 413, 415, 422)"},
	{ExitConflict, "it was changed meanwhile, is in use, or its state forbids it (409, 412)"},
	{ExitUnavailable, "no relay responds, or it cannot work at present (429, 502, 503, 504)"},
	{ExitProblem, "a check found a problem, or there was nothing to do"},
	{ExitInterrupted, "interrupted by Ctrl-C"},
}

// coded is an error with an exit code.
type coded struct {
	code int
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// withCode adds an exit code, unless the error is nil or has one.
func withCode(code int, err error) error {
	var has *coded
	if err == nil || errors.As(err, &has) {
		return err
	}
	return &coded{code, err}
}

func usage(err error) error                   { return withCode(ExitUsage, err) }
func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// problem is the error of a command that worked, and found a problem or had nothing to do.
func problem(format string, args ...any) error {
	return withCode(ExitProblem, fmt.Errorf(format, args...))
}

// ExitCode is the exit code of the program for a command's error.
func ExitCode(err error) int {
	var has *coded
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &has):
		return has.code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}

// codeOf is the exit code of a refused request.
func codeOf(status int) int {
	switch status {
	case http.StatusNotFound:
		return ExitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return ExitUnauthorized
	case http.StatusConflict, http.StatusPreconditionFailed:
		return ExitConflict
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ExitUnavailable
	}
	if status < http.StatusInternalServerError {
		return ExitRefused
	}
	return ExitFailed
}
