package activities

import (
	"context"
	"errors"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Notices are the relay's own notices in the database, which keeps what has been reported: the workflow has no memory.
type Notices interface {
	// ComposeNotices looks at the present state and stores the notices that it calls for.
	ComposeNotices(ctx context.Context, rules ops.NoticeRules) error
	// DueNotices lists the notices that are to be sent now.
	DueNotices(ctx context.Context) ([]int64, error)
	// Notice reads a notice; relay.ErrNotFound where it has been sent.
	Notice(ctx context.Context, id int64) (ops.Notice, error)
	// RecordNotice stores how the attempt to send a notice ended.
	RecordNotice(ctx context.Context, id int64, r relay.Result) error
}

// Notifier sends notices to people.
type Notifier interface {
	Notify(ctx context.Context, n ops.Notice) relay.Result
}

// NoticeAttempt is an attempt to send a notice, and how it ended: a number and codes. Gone says that it had been sent.
type NoticeAttempt struct {
	ID     int64
	Result relay.Result
	Gone   bool `json:",omitempty"`
}

// ComposeNotices stores the notices that the present state calls for, and returns the ids of the notices to send now. Without a
// receiver there are none.
func (a *Activities) ComposeNotices(ctx context.Context) ([]int64, error) {
	if a.Notifier == nil {
		return nil, nil
	}
	if err := a.Notices.ComposeNotices(ctx, a.NoticeRules); err != nil {
		return nil, opaque(err)
	}
	ids, err := a.Notices.DueNotices(ctx)
	return ids, opaque(err)
}

// SendNotice makes one attempt to send a notice. That the receiver did not accept it is a result, not an error.
func (a *Activities) SendNotice(ctx context.Context, id int64) (NoticeAttempt, error) {
	n, err := a.Notices.Notice(ctx, id)
	if errors.Is(err, relay.ErrNotFound) || a.Notifier == nil {
		return NoticeAttempt{ID: id, Gone: true}, nil
	}
	if err != nil {
		return NoticeAttempt{}, opaque(err)
	}
	r := a.Notifier.Notify(ctx, n)
	a.Log.InfoContext(ctx, "notice.attempted", "notice", id, "kind", n.Kind, "phase", n.Phase, "outcome", r.Outcome, "reason", r.Reason, "status", r.Status)
	return NoticeAttempt{ID: id, Result: r}, nil
}

// RecordNotice stores how an attempt ended. It is a step of its own, so that a database that is away does not repeat a notice that
// was sent.
func (a *Activities) RecordNotice(ctx context.Context, in NoticeAttempt) error {
	if in.Gone {
		return nil
	}
	return opaque(a.Notices.RecordNotice(ctx, in.ID, in.Result))
}
