package api

import (
	"context"
	"errors"
	"net/http"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Collection holds all resources of one kind of configuration. A missing one is relay.ErrNotFound; a write that conflicts with
// stored ones is a *ops.WriteError.
type Collection[T any] interface {
	// Find reads one.
	Find(ctx context.Context, id int64) (ops.Record[T], error)
	// List reads one page.
	List(ctx context.Context, q ops.ListQuery) (ops.Page[ops.Record[T]], error)
	// Create adds one; id is 0 or the one that it is to have.
	Create(ctx context.Context, act ops.Actor, id int64, v T) (ops.Record[T], error)
	// Update changes one under a lock. An error of change rolls back and is returned.
	Update(ctx context.Context, act ops.Actor, id int64, change func(ops.Record[T]) (T, error)) (ops.Record[T], error)
	// Delete removes one, unless check, which sees it first, has an error.
	Delete(ctx context.Context, act ops.Actor, id int64, check func(ops.Record[T]) error) error
}

// Audit reads and writes the audit, and the result of a change.
type Audit interface {
	// Audit lists the entries, the newest first.
	Audit(ctx context.Context, q ops.AuditQuery) (ops.Page[ops.AuditEntry], error)
	// StorefrontSwitches are the switches of a storefront, or of all that have a credential at a platform, limit at most.
	StorefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error)
	// InFlight counts the events in delivery of storefronts, at most 100 of them, by their ids.
	InFlight(ctx context.Context, storefronts []int64) (map[int64]ops.InFlight, error)
}

// Admin are the collaborators of the admin API.
type Admin struct {
	Storefronts Collection[relay.Storefront]
	SGTMConfigs Collection[ops.SGTMConfig]
	Platforms   Collection[ops.Platform]
	Credentials Collection[ops.Credential]
	Audit       Audit
	// Destinations are those of the sGTM configs and credentials.
	Destinations Destinations
	// Adapters are those of this program, by destination key.
	Adapters map[string]relay.Adapter
	// HasAdapter reports whether this program speaks to a platform.
	HasAdapter func(platform string) bool
	// EventNames are a platform's names of our event types; none for one without an adapter.
	EventNames func(platform string) relay.EventNames
	// Check looks at a destination's settings as its adapter does; a destination without an adapter is never wrong. Its error
	// is "field: text" and holds no value.
	Check func(relay.Destination) error
	// CheckURL refuses an address that the relay would not send to. Its error holds no value.
	CheckURL func(ctx context.Context, raw string) error
	// CheckHeader refuses a custom header that may not be set. Its error holds no value.
	CheckHeader func(name string, value relay.Secret) error
}

func (a *Admin) check() error {
	switch {
	case a.Storefronts == nil || a.SGTMConfigs == nil || a.Platforms == nil || a.Credentials == nil:
		return errors.New("collaborator Admin lacks a collection")
	case a.Audit == nil:
		return errors.New("collaborator Admin.Audit is missing")
	case a.Destinations == nil:
		return errors.New("collaborator Admin.Destinations is missing")
	case a.HasAdapter == nil || a.EventNames == nil || a.Check == nil || a.CheckURL == nil || a.CheckHeader == nil:
		return errors.New("collaborator Admin lacks a check")
	}
	return nil
}

// writeCodes are the codes of a write that the stored configuration refuses.
var writeCodes = map[ops.WriteKind]code{
	ops.Taken:        codeAlreadyExists,
	ops.Retired:      codeIDRetired,
	ops.InUse:        codeInUse,
	ops.NoStorefront: codeUnknownStorefront,
	ops.NoPlatform:   codeUnknownPlatform,
}

// writeFailure reads why the stored configuration refuses a write.
func writeFailure(err *ops.WriteError) *failure {
	f := refuse(writeCodes[err.Kind]).becauseOf(err)
	f.field, f.existing = err.Field, err.ID
	if err.Field != "" {
		f.errors = []FieldError{{err.Field, f.code, f.detail}}
	}
	for _, u := range err.Uses {
		f.uses = append(f.uses, Use(u))
	}
	return f
}

// adminStatuses are the statuses of typed operations, beside those of every operation.
var adminStatuses = struct{ read, create, change, remove []int }{
	read:   []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	create: []int{http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	change: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	remove: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
}
