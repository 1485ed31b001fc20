package relay

import "errors"

// Errors that callers branch on. They are wrapped; compare with errors.Is.
var (
	// ErrUnavailable says that the database did not respond. The change may or may not have been made; retry.
	ErrUnavailable = errors.New("database unavailable")
	// ErrNotFound says that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnreadable says that no key decrypts a stored secret.
	ErrUnreadable = errors.New("secret does not decrypt")
	// ErrRecovered says that the destination is healthy again, so that the event is not ended for its bad health.
	ErrRecovered = errors.New("destination has recovered")
	// ErrConflict says that a write contradicts stored data.
	ErrConflict = errors.New("conflict")
)

// Unwritable is a database that responds to reads, but refuses writes or never completes them. The relay can then accept and
// deliver nothing.
type Unwritable struct{ Why WriteRefusal }

// WriteRefusal is the reason, as a code that may be shown publicly.
type WriteRefusal string

// The reasons.
const (
	WriteReadOnly  WriteRefusal = "read_only" // after a failover, or by hand
	WriteNoRoom    WriteRefusal = "full"      // disk or table
	WriteForbidden WriteRefusal = "forbidden" // the user lacks the right
	WriteStalled   WriteRefusal = "stalled"   // no response in time, although reads succeed
)

func (u *Unwritable) Error() string { return "the database is not written: " + string(u.Why) }

// Is makes errors.Is match ErrUnavailable.
func (u *Unwritable) Is(target error) bool { return target == ErrUnavailable }
