package workflows

import (
	"go.temporal.io/sdk/worker"

	"relay/activities"
)

// Register tells a worker what it runs.
func Register(w worker.Registry, a *activities.Activities) {
	w.RegisterWorkflow(DeliverEvent)
	w.RegisterWorkflow(PollInbox)
	w.RegisterWorkflow(PurgeEvents)
	w.RegisterWorkflow(Reconcile)
	w.RegisterWorkflow(ReplayEvents)
	w.RegisterWorkflow(RollUpStats)
	w.RegisterWorkflow(EraseEvents)
	w.RegisterActivity(a)
}
