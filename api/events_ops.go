package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// EventStore reads and retries the events of the inbox. An event that is not there is relay.ErrNotFound.
type EventStore interface {
	StorefrontIDs(ctx context.Context, codes []string) (map[string]int64, error)
	// SearchEvents lists events, newest first, from a position on; a page may be short although there is more.
	SearchEvents(ctx context.Context, f ops.Filter, after ops.Position, n int) (ops.EventPage, error)
	EventDetail(ctx context.Context, id int64) (ops.EventDetail, error)
	// EventsOfOrders lists the events of at most 1,000 orders, by order ids or event ids.
	EventsOfOrders(ctx context.Context, ids []string) ([]ops.EventSummary, error)
	// RetryEvent sets a failed or skipped event back to pending, and with it adds lines to the audit: both or neither.
	RetryEvent(ctx context.Context, id int64, lines ...ops.AuditEntry) (ops.RetryResult, error)
	Destinations
	// Stats reads counts; the zero storefront is all of them.
	Stats(ctx context.Context, storefrontID int64, from, to time.Time) (ops.StatsReport, error)
	// Series reads counts over time.
	Series(ctx context.Context, q ops.SeriesQuery) (ops.SeriesReport, error)
	// ServiceCounts reads the counts of deliveries since each of these times.
	ServiceCounts(ctx context.Context, since ...time.Time) ([]ops.ServiceCounts, error)
	// AttemptStats reads counts of attempts: all together, and by storefront and destination.
	AttemptStats(ctx context.Context, q ops.AttemptsQuery) (ops.AttemptStats, []ops.AttemptStats, error)
	// Backlog counts what has not ended.
	Backlog(ctx context.Context) (ops.OpenReport, error)
	// RecordAudit adds a line to the audit.
	RecordAudit(ctx context.Context, e ops.AuditEntry) error
}

// ConfigStore reads the configuration for a preview and a check, secrets included.
type ConfigStore interface {
	StorefrontConfig(ctx context.Context, storefrontID int64) (ops.StorefrontConfig, error)
	// EventConfig reads an event as an adapter sees it, with the configuration of its storefront.
	EventConfig(ctx context.Context, id int64) (relay.Event, ops.StorefrontConfig, error)
	// CredentialPlace and ContainerPlace say whose which destination a credential or an sGTM config is.
	CredentialPlace(ctx context.Context, id int64) (storefrontID int64, destination string, err error)
	ContainerPlace(ctx context.Context, id int64) (storefrontID int64, destination string, err error)
}

// ReplayStore stores replays.
type ReplayStore interface {
	// DryRun counts the events that a replay would start, and of the oldest ops.DryRunBound those that are too old for a destination.
	DryRun(ctx context.Context, r ops.Replay, maxAge func(storefrontID int64, destination string) time.Duration) (ops.DryRun, error)
	// CreateReplay keeps a replay, and with it adds lines to the audit, which get its id: both or neither.
	CreateReplay(ctx context.Context, r ops.Replay, lines ...ops.AuditEntry) (ops.Replay, error)
	Replay(ctx context.Context, id int64) (ops.Replay, error)
	// Replays lists replays, newest first.
	Replays(ctx context.Context, q ops.ReplayQuery) ([]ops.Replay, error)
	// ReplayItems lists the events that a replay has started and not seen to end, and those that it holds: the newest first,
	// below an id; 0 is the newest.
	ReplayItems(ctx context.Context, id, before int64, n int) ([]ops.EventSummary, error)
	// SetReplayRate is SteerReplay for the rate.
	SetReplayRate(ctx context.Context, id int64, rate int, lines ...ops.AuditEntry) (ops.Replay, error)
	// StorefrontCodes are the codes of all storefronts, by id.
	StorefrontCodes(ctx context.Context) (map[int64]string, error)
	// SteerReplay sets the state that is wanted of a replay, which counts at once, and with it adds lines to the audit. Where the
	// replay has that state already, or has ended, nothing changes. It returns the replay as it is then.
	SteerReplay(ctx context.Context, id int64, state ops.ReplayState, lines ...ops.AuditEntry) (ops.Replay, error)
}

// ReplayRunner runs replays.
type ReplayRunner interface {
	// StartReplay starts the workflow of a replay, unless it runs.
	StartReplay(ctx context.Context, id int64) error
	// WakeReplay signals a replay's workflow to read its state, and starts it unless it runs.
	WakeReplay(ctx context.Context, id int64) error
}

// Ops are the collaborators of the operations on events.
type Ops struct {
	Events       EventStore
	Cancels      CancelStore
	Canceller    DeliveryCanceller
	Configs      ConfigStore
	Replays      ReplayStore
	Runner       ReplayRunner
	Destinations DestinationStore
	Erasures     Erasures
	Eraser       ErasureRunner
	Adapters     map[string]relay.Adapter
	Policy       relay.Policy
	// Send makes one exchange with a destination, of a test event.
	Send func(ctx context.Context, r relay.Request) relay.Response
	// EventURL, ReplayURL and ErasureURL are where people look at the workflow behind an event, a replay or an erasure; "" is
	// nowhere.
	EventURL   func(id int64) string
	ReplayURL  func(id int64) string
	ErasureURL func(id int64) string
}

func (o *Ops) check() error {
	missing := ""
	switch {
	case o == nil:
		return nil
	case o.Events == nil:
		missing = "Events"
	case o.Cancels == nil, o.Canceller == nil:
		missing = "Cancels or Canceller"
	case o.Configs == nil:
		missing = "Configs"
	case o.Replays == nil:
		missing = "Replays"
	case o.Runner == nil:
		missing = "Runner"
	case o.Destinations == nil:
		missing = "Destinations"
	case o.Send == nil:
		missing = "Send"
	case o.Erasures == nil, o.Eraser == nil:
		missing = "Erasures or Eraser"
	case o.EventURL == nil, o.ReplayURL == nil, o.ErasureURL == nil:
		missing = "EventURL, ReplayURL or ErasureURL"
	default:
		return nil
	}
	return errors.New("collaborator Ops." + missing + " is missing")
}

// Tags of the operations on events.
const (
	tagEvents  = "Events"
	tagPreview = "Preview"
	tagReplays = "Replays"
	tagStats   = "Stats"
	tagOMS     = "Status for OMS"
)

// Kinds of resources in the audit beside the configuration, and their actions.
const (
	entityEvent  ops.Entity = "events"
	entityReplay ops.Entity = "replays"

	actionReveal ops.Action = "reveal"
	actionRetry  ops.Action = "retry"
	actionReplay ops.Action = "replay"
	actionResend ops.Action = "resend"
	actionTest   ops.Action = "test"
)

// opsHandlers are the handlers of the operations on events.
type opsHandlers struct{ *Ops }

// audit writes an entry. An action whose entry cannot be written is not carried out.
func (h opsHandlers) audit(ctx context.Context, action ops.Action, entity ops.Entity, id int64, name string, changes ...ops.Change) error {
	if err := h.Events.RecordAudit(ctx, entry(ctx, action, entity, id, name, changes...)); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// entry is a line of the audit.
func entry(ctx context.Context, action ops.Action, entity ops.Entity, id int64, name string, changes ...ops.Change) ops.AuditEntry {
	act := actOf(ctx, action)
	return ops.AuditEntry{By: act.By, Action: act.Action, RequestID: act.RequestID, Entity: entity, EntityID: id, Name: name, Changes: act.Noted(changes)}
}

// storefrontID resolves a code; "" is 0.
func (h opsHandlers) storefrontID(ctx context.Context, code, field string) (int64, error) {
	if code == "" {
		return 0, nil
	}
	page, _ := ctx.Value(lookedUpKey{}).(*lookedUp)
	id, err := page.id(code, func() (int64, error) {
		ids, err := h.Events.StorefrontIDs(ctx, []string{code})
		return ids[code], err
	})
	if err == nil && id == 0 {
		err = refuseField(codeUnknownStorefront, field, codeUnknownStorefront.message())
	}
	return id, err
}

// gone makes a missing resource a 404 with its own text.
func gone(err error, kind string) error {
	if errors.Is(err, relay.ErrNotFound) {
		return refuseWith(codeNotFound, "there is no "+kind+" with this id")
	}
	return err
}
