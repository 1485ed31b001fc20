package relay

import "errors"

// Errors on which somebody decides. They come wrapped; compare with errors.Is.
var (
	// ErrUnavailable is a database that does not answer: nothing was done, or nobody knows, and it is worth trying again.
	ErrUnavailable = errors.New("database unavailable")
	// ErrNotFound is a row that is not there.
	ErrNotFound = errors.New("not found")
	// ErrUnreadable is a stored secret that no key decrypts.
	ErrUnreadable = errors.New("secret does not decrypt")
	// ErrRecovered is a destination that is healthy again, so that its trouble is no end for an event.
	ErrRecovered = errors.New("destination has recovered")
	// ErrConflict is a write that contradicts what is stored.
	ErrConflict = errors.New("conflict")
)
