// Package floor is the relay's baseline: workflows of the same shape as a delivery that do nothing, on the same Temporal
// server, started in the same way. They cost as much as any workflow costs there; the rest of the relay's cost is its own.
package floor

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Shapes of bare workflows.
const (
	Delivery = "delivery" // a local activity, a regular one, a local one: DeliverEvent with one destination
	FanOut   = "fan-out"  // the same with five regular activities at once
)

// fanOut is the number of destinations of a fan-out.
const fanOut = 5

// input names a workflow of a run.
type input struct {
	Run, N, Regular int
}

// bare has the shape of DeliverEvent.
func bare(ctx workflow.Context, in input) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 5 * time.Second})
	if err := workflow.ExecuteLocalActivity(local, "Local", in).Get(ctx, nil); err != nil {
		return err
	}
	regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Minute, MaximumAttempts: 5},
	})
	var sends []workflow.Future
	for range in.Regular {
		sends = append(sends, workflow.ExecuteActivity(regular, "Regular", in))
	}
	var err error
	for _, send := range sends {
		err = errors.Join(err, send.Get(ctx, nil))
	}
	if err != nil {
		return err
	}
	return workflow.ExecuteLocalActivity(local, "Last", in).Get(ctx, nil)
}

// steps are the activities; they report a run's progress.
type steps struct{ runs *runs }

// Local is the first step.
func (*steps) Local(context.Context, input) error { return nil }

// Regular has the place of a delivery's send.
func (s *steps) Regular(_ context.Context, in input) error {
	s.runs.sent(in)
	return nil
}

// Last is the last step.
func (s *steps) Last(_ context.Context, in input) error {
	s.runs.ended(in)
	return nil
}
