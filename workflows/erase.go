package workflows

import (
	"context"
	"strconv"

	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
)

// EraseEventsID is the id of the workflow behind an erasure.
func EraseEventsID(erasure int64) string { return "erase-events:" + strconv.FormatInt(erasure, 10) }

// EraseEvents erases what is stored of an order or a person. It keeps only the erasure's id: the person, the
// cursor and the events found are in the database, so that a new run continues at any time.
func EraseEvents(ctx workflow.Context, in activities.EraseInput) error {
	var last activities.EraseOutput
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (activities.EraseOutput, error) { return last, nil }); err != nil {
		return err
	}
	wait := eraseFirstWait
	for range eraseSteps {
		before := last
		in.Insist = wait == eraseLastWait
		if err := workflow.ExecuteActivity(eraseOptions(ctx), a.StepErasure, in).Get(ctx, &last); err != nil {
			return err
		}
		switch {
		case last.State == ops.ErasureDone:
			return nil
		case last.Erased > before.Erased || last.Scanned > before.Scanned:
			wait = eraseFirstWait
		}
		if last.Waiting == 0 {
			continue
		}
		timer := workflow.TimerOptions{Summary: "waiting for deliveries to end and their workflows to be deleted"}
		if err := workflow.NewTimerWithOptions(ctx, wait, timer).Get(ctx, nil); err != nil {
			return err
		}
		wait = min(2*wait, eraseLastWait)
	}
	return keepHouse(ctx, EraseEvents, activities.EraseInput{ID: in.ID})
}

// StartErasure starts the workflow of an erasure unless it runs.
func (s Starter) StartErasure(ctx context.Context, id int64) error {
	return s.once(ctx, EraseEventsID(id), "erases what is stored of an order or a person", EraseEvents, activities.EraseInput{ID: id})
}
