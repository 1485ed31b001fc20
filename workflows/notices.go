package workflows

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
)

const notifyID = "send-notices"

// SendNotices composes the notices that are due and sends them to the people who run the relay, at least once: a notice that a run
// does not send is sent by the next.
func SendNotices(ctx workflow.Context) (int, error) {
	var due []int64
	if err := workflow.ExecuteActivity(noticeOptions(ctx), a.ComposeNotices).Get(ctx, &due); err != nil {
		return 0, err
	}
	sent := 0
	for _, id := range due {
		var attempt activities.NoticeAttempt
		if workflow.ExecuteActivity(sendNoticeOptions(ctx), a.SendNotice, id).Get(ctx, &attempt) != nil {
			continue // the worker was lost, or the database: the next run tries again
		}
		if err := workflow.ExecuteActivity(recordNoticeOptions(ctx), a.RecordNotice, attempt).Get(ctx, nil); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

// EnsureNotifying creates or updates the schedule of SendNotices; off removes it.
func (s Starter) EnsureNotifying(ctx context.Context, on bool) error {
	if on {
		return s.ensure(ctx, s.schedule(notifyID, notifyEvery, "SendNotices", "reports what is wrong, and that it is over, to NOTIFY_URL"))
	}
	err := s.Client.ScheduleClient().GetHandle(ctx, notifyID).Delete(ctx)
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return nil
	}
	return err
}
