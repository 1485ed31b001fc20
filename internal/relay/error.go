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

// Unwritable is a database that answers, and refuses to be written or does not come to an end. Nothing can be accepted or
// delivered then.
type Unwritable struct{ Why WriteRefusal }

// WriteRefusal is why a database is not written, in a word that anybody may read.
type WriteRefusal string

// The reasons.
const (
	WriteReadOnly  WriteRefusal = "read_only" // after a failover, or by hand
	WriteNoRoom    WriteRefusal = "full"      // disk or table
	WriteForbidden WriteRefusal = "forbidden" // the user lacks the right
	WriteStalled   WriteRefusal = "stalled"   // no response in time, though it answers when it is read
)

func (u *Unwritable) Error() string { return "the database is not written: " + string(u.Why) }

// Is makes it a kind of ErrUnavailable.
func (u *Unwritable) Is(target error) bool { return target == ErrUnavailable }
