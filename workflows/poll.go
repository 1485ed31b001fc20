package workflows

import (
	"strconv"

	"go.temporal.io/sdk/workflow"

	"relay/activities"
)

// PollInboxID is the id of the workflow that polls for the first part of the storefronts, or for all of them.
const PollInboxID = "poll-inbox"

// pollInboxID is the id of one of several: there is one for each part in a namespace.
func pollInboxID(shard int) string {
	if shard == 0 {
		return PollInboxID
	}
	return PollInboxID + ":" + strconv.Itoa(shard)
}

// PollInbox polls for pending rows whose delivery has not been started. It ends only where POLL_SHARDS was lowered.
func PollInbox(ctx workflow.Context, in activities.PollInput) error {
	for range pollRounds {
		var out activities.PollOutput
		if err := workflow.ExecuteActivity(pollOptions(ctx), a.PollInbox, in).Get(ctx, &out); err != nil {
			return err
		}
		if out.Over {
			return nil
		}
	}
	return keepHouse(ctx, PollInbox, in)
}
