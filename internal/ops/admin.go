package ops

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

// Action is an admin's action, as the audit names it.
type Action string

// The actions on the configuration. Others (reveal, retry, replay) name themselves.
const (
	ActionCreate     Action = "create"
	ActionReplace    Action = "replace"
	ActionPatch      Action = "patch"
	ActionDelete     Action = "delete"
	ActionActivate   Action = "activate"
	ActionDeactivate Action = "deactivate"
	ActionRotate     Action = "rotate" // of the keys that secrets are kept under
)

// Actor identifies an admin and an action for the audit.
type Actor struct {
	By        string // the admin's name
	Action    Action
	RequestID string
	Note      string // why, in the admin's words; empty where none was sent
}

// noteField is the name under which the audit keeps a note.
const noteField = "note"

// Noted adds the note to the changes of an audit line, unless they have one.
func (a Actor) Noted(changes []Change) []Change {
	if a.Note == "" || slices.ContainsFunc(changes, func(c Change) bool { return c.Field == noteField }) {
		return changes
	}
	return append(slices.Clip(changes), NoteOf(a.Note))
}

// NoteOf returns the change that holds a note.
func NoteOf(note string) Change {
	quoted, _ := json.Marshal(note) // a string always marshals
	return Change{Field: noteField, To: quoted}
}

// Note returns the note of an audit line; empty without one.
func (e AuditEntry) Note() string {
	var note string
	for _, c := range e.Changes {
		if c.Field == noteField {
			_ = json.Unmarshal(c.To, &note)
		}
	}
	return note
}

// Entity is a kind of configuration.
type Entity string

// The entities, by their names in URLs.
const (
	EntityStorefront Entity = "storefronts"
	EntitySGTMConfig Entity = "sgtm-configs"
	EntityPlatform   Entity = "platforms"
	EntityCredential Entity = "credentials"
	EntityKey        Entity = "encryption-keys" // the audit's; it has no URL
	// EntityDestination is the entity of probes, which have a destination's name in place of an id.
	EntityDestination Entity = "destinations"
)

// AuditEntry is one line of the audit.
type AuditEntry struct {
	ID        int64
	At        time.Time
	By        string
	Action    Action
	Entity    Entity
	EntityID  int64  // 0 where there is none
	Name      string // readable name: "bosley", "bosley/meta_capi"
	RequestID string
	// Changes are the fields that changed. A secret's values are only "set", "changed" and "removed".
	Changes []Change
	// Switched is the new state of a kill switch; nil if none was changed.
	Switched *bool
}

// Change is the change of one field.
type Change struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from,omitempty"` // absent for a secret, and where there was none
	To    json.RawMessage `json:"to,omitempty"`   // likewise; "set", "changed" or "removed" for a secret
}

// AuditQuery asks for one page of the audit, the newest entry first. Zero fields ask for everything.
type AuditQuery struct {
	By       string
	Action   Action
	Entity   Entity
	EntityID int64
	From, To time.Time // From ≤ at < To
	Before   int64     // the id at which the page before ended; 0 is the beginning
	Limit    int
	// Uncounted leaves the total out.
	Uncounted bool
}

// SwitchChange is the last change of a kill switch. The zero value means unchanged since the audit began.
type SwitchChange struct {
	By string
	At time.Time
}

// Record is a stored entry of the configuration.
type Record[T any] struct {
	ID           int64
	Version      string // differs after every write; If-Match compares it
	CreatedAt    time.Time
	UpdatedAt    time.Time
	SwitchChange SwitchChange // of its kill switch
	Value        T
}

// PageKey is the keyset position at which a page ended: the sort field's value, as text, and the id.
type PageKey struct {
	Value string
	ID    int64
}

// ListQuery asks for one page of a configuration's list, in the order of Sort and then of the id.
type ListQuery struct {
	Filter map[string]any // by field; the fields are the list's own
	Search string         // part of a code or name
	Sort   string         // a field; empty is the id
	Desc   bool
	After  *PageKey
	Limit  int
}

// Page is one page of a configuration's list. Next is nil on the last one.
type Page[T any] struct {
	Items []T
	Total int // of all pages
	Next  *PageKey
}

// SGTMConfig is a storefront's container. Empty texts mean the defaults: client type ga4, fallback direct, and fail where
// the attempts at the container are exhausted.
type SGTMConfig struct {
	StorefrontID   int64
	StorefrontCode string // read only
	URL            string
	ClientType     string // "ga4" or "custom"
	MeasurementID  string
	APISecret      relay.Secret
	EndpointPath   string
	Headers        map[string]relay.Secret
	Active         bool
	Fallback       string // "direct" or "stop": where events go while the container is off
	OnExhausted    string // "fail" or "direct": once an event's attempts at the container are exhausted
	Options        relay.Options
	// Unreadable is a stored config whose secrets no key decrypts: they are missing here, and stay as they are unless new
	// ones are written.
	Unreadable bool
}

// Credential is a storefront's access to a platform.
type Credential struct {
	StorefrontID   int64
	StorefrontCode string // read only
	PlatformID     int64
	Platform       string // its code; read only where PlatformID is set
	Fields         map[string]relay.Secret
	Active         bool
	Options        relay.Options
	Unreadable     bool // as SGTMConfig's
	// FieldList is the platform's list of fields; read only.
	FieldList []CredentialField
}

// CustomHeaders is the field of a platform whose credentials may have custom headers. Each header is a secret field of its own, named
// HeaderPrefix and the header's name.
const (
	CustomHeaders = HeaderPrefix + "*"
	HeaderPrefix  = "header:"
)

// HeadersOf are the custom headers of a credential by their names, where its platform takes them.
func HeadersOf(list []CredentialField, values map[string]relay.Secret) map[string]relay.Secret {
	headers := map[string]relay.Secret{}
	if !slices.ContainsFunc(list, func(f CredentialField) bool { return f.Field == CustomHeaders }) {
		return headers
	}
	for field, value := range values {
		if name, ok := strings.CutPrefix(field, HeaderPrefix); ok && field != CustomHeaders {
			headers[name] = value
		}
	}
	return headers
}

// CredentialField is one field of a platform's credential.
type CredentialField struct {
	Field       string `json:"field"`
	Secret      bool   `json:"secret"`
	Required    bool   `json:"required"`
	Format      string `json:"format,omitempty"`
	Description string `json:"description,omitempty"`
}

// Platform is an entry of the catalogue.
type Platform struct {
	Code       string
	Name       string
	Vendor     string
	Category   string
	Tier       int
	APIBaseURL string
	Auth       string
	Fields     []CredentialField
	DocsURL    string
	ServerSide bool // it has an API for server-side events
	Active     bool
	Limits     relay.Limits // of each storefront's destination there, unless its credential has some of its own
}

// Use counts the entries that depend on one that was to be deleted.
type Use struct {
	Kind  string
	Count int
}

// WriteError says that a write contradicts the stored configuration. It wraps ErrConflict.
type WriteError struct {
	Kind  WriteKind
	Field string
	ID    int64 // of Taken: the row that has the value; 0 where it is gone again
	Uses  []Use // of InUse
}

// WriteKind classifies WriteErrors.
type WriteKind string

// The kinds of WriteError.
const (
	Taken        WriteKind = "already_exists"
	Retired      WriteKind = "id_retired" // an id that something deleted had
	InUse        WriteKind = "in_use"
	NoStorefront WriteKind = "unknown_storefront"
	NoPlatform   WriteKind = "unknown_platform"
)

// Error names kind and field.
func (e *WriteError) Error() string { return string(e.Kind) + ": " + e.Field }

// Unwrap returns ErrConflict.
func (e *WriteError) Unwrap() error { return relay.ErrConflict }
