package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"relay"
)

// Purges is what retention needs of the database. Done twice, a bite takes the next rows: what is gone is gone.
type Purges interface {
	// PurgeEvents deletes those of the next n events that ended longer than age ago, and keeps their figures.
	PurgeEvents(ctx context.Context, age time.Duration, after relay.PurgeMark, n int) (relay.PurgeBite, error)
	// PurgeAudit deletes those of the n oldest entries that are older than age.
	PurgeAudit(ctx context.Context, age time.Duration, n int) (int64, error)
	// PurgeEnded deletes up to n replays and up to n erasures that ended longer ago than they are to be kept.
	PurgeEnded(ctx context.Context, keep relay.Retention, n int) (int64, error)
}

const (
	purgeBite   = 200 // events, or entries of the audit, in one transaction
	purgeBudget = 10 * time.Minute
	// Purging rests four times as long as it worked, so that it is a fifth of one connection's work at most.
	purgeRest    = 4
	shortestRest = 5 * time.Millisecond
)

// PurgeOutput is what one round took; More says that its time was over first.
type PurgeOutput struct {
	relay.Purged
	More bool
}

// PurgeEvents deletes what is older than it is to be kept, in small bites with rests between.
func (a *Activities) PurgeEvents(ctx context.Context) (PurgeOutput, error) {
	var out PurgeOutput
	end := time.Now().Add(purgeBudget)
	err := a.purge(ctx, end, &out)
	if out.Purged != (relay.Purged{}) {
		a.Log.InfoContext(ctx, "inbox.purged", "events", out.Events, "attempts", out.Attempts, "audit", out.Audit, "ended", out.Ended, "more", out.More)
	}
	if err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "inbox.purge_failed", "error", err)
	}
	return out, temporary(err)
}

func (a *Activities) purge(ctx context.Context, end time.Time, out *PurgeOutput) error {
	var mark relay.PurgeMark
	events := func() (bool, error) {
		bite, err := a.Purges.PurgeEvents(ctx, a.Retention.Events, mark, purgeBite)
		out.Purged, mark = out.Plus(bite.Purged), bite.Next
		return bite.Done, err
	}
	audit := func() (bool, error) {
		n, err := a.Purges.PurgeAudit(ctx, a.Retention.Audit, purgeBite)
		out.Audit += n
		return n < purgeBite, err
	}
	ended := func() (bool, error) {
		n, err := a.Purges.PurgeEnded(ctx, a.Retention, purgeBite)
		out.Ended += n
		return n < purgeBite, err
	}
	for _, bite := range []func() (bool, error){audit, ended, events} {
		for done := false; !done; {
			if out.More = time.Now().After(end); out.More {
				return nil
			}
			began := time.Now()
			var err error
			if done, err = bite(); err != nil {
				return err
			}
			activity.RecordHeartbeat(ctx, out.Purged)
			if err := rest(ctx, time.Since(began)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest waits in proportion to what was worked.
func rest(ctx context.Context, worked time.Duration) error {
	timer := time.NewTimer(max(purgeRest*worked, shortestRest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
