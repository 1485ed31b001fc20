package relay

import (
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[secret]"

// Secret is a value that prints, logs and marshals as "[secret]". Only Reveal returns the value; it is
// called to send the secret to its owner or to encrypt it. The zero value is no secret at all. Two secrets are not compared by ==.
type Secret struct {
	// A pointer, because fmt calls no method of an unexported field: of a struct that holds a Secret in one it prints
	// the bare value, and a pointer prints as an address.
	value *string
}

// NewSecret hides value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal is the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.value != nil }

// String hides the value.
func (s Secret) String() string { return hidden }

// Format hides the value under every verb, %#v and %x included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the value in JSON, as a value and as a map key.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText sets the value. A marshalled secret cannot be restored.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = NewSecret(string(b))
	return nil
}

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
