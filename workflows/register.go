package workflows

import (
	"go.temporal.io/sdk/worker"

	"relay/activities"
)

// Register registers what the queue of the deliveries serves. That includes the housekeeping: a run that an older release
// started on this queue ends on it, or continues as new on its own queue.
func Register(w worker.Registry, a *activities.Activities) {
	w.RegisterWorkflow(DeliverEvent)
	RegisterHousekeeping(w, a)
}

// RegisterHousekeeping registers what the queue named by Housekeeping serves.
func RegisterHousekeeping(w worker.Registry, a *activities.Activities) {
	w.RegisterWorkflow(PollInbox)
	w.RegisterWorkflow(PurgeEvents)
	w.RegisterWorkflow(Reconcile)
	w.RegisterWorkflow(ReplayEvents)
	w.RegisterWorkflow(RollUpStats)
	w.RegisterWorkflow(EraseEvents)
	w.RegisterWorkflow(SendNotices)
	w.RegisterActivity(a)
}
