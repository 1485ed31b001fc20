package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"relay/internal/relay"
)

// errContinue ends a run that continues as new, because its history has grown long.
var errContinue = errors.New("continue as new")

// Continued is what a run passes on to the one that continues it.
type Continued struct {
	// Run owns the row: the first run, also after a reset of a later one.
	Run        string
	Ends       []relay.DeliveryResult `json:",omitempty"`
	Unrecorded []relay.AttemptEnd     `json:",omitempty"`
	TurnedAway bool                   `json:",omitempty"`
	Routes     int                    `json:",omitempty"` // followed to their end
}

// mayContinue reports whether the run is to continue as new: Temporal suggests it, and no other target is under way, whose
// attempt would be forgotten.
func (d *delivery) mayContinue(ctx workflow.Context) bool {
	return d.running <= 1 && suggested(ctx) && workflow.GetVersion(ctx, gateContinue, workflow.DefaultVersion, 1) == 1
}

func suggested(ctx workflow.Context) bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }

func (d *delivery) continued(ctx workflow.Context) error {
	in := d.in
	in.Continued = &Continued{Run: d.row.Run, Ends: d.ends, Unrecorded: d.unrecorded, TurnedAway: d.turnedAway, Routes: d.routes}
	return workflow.NewContinueAsNewError(ctx, DeliverEvent, in)
}

// keepHouse continues a housekeeping workflow as new, on the queue of the housekeeping also where an older release started it
// on that of the deliveries.
func keepHouse(ctx workflow.Context, next any, args ...any) error {
	if queue := workflow.GetInfo(ctx).TaskQueueName; !keepsHouse(queue) {
		ctx = workflow.WithWorkflowTaskQueue(ctx, Housekeeping(queue))
	}
	return workflow.NewContinueAsNewError(ctx, next, args...)
}
