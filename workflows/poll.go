package workflows

import "go.temporal.io/sdk/workflow"

// PollInboxID is the workflow's id: there is one in a namespace.
const PollInboxID = "poll-inbox"

// PollInbox polls for pending rows whose delivery has not been started. It never ends.
func PollInbox(ctx workflow.Context) error {
	for range pollRounds {
		if err := workflow.ExecuteActivity(pollOptions(ctx), a.PollInbox).Get(ctx, nil); err != nil {
			return err
		}
	}
	return keepHouse(ctx, PollInbox)
}
