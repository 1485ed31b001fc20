package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"relay/activities"
)

// firstAttempts are the attempts that were made with a run's first route.
type firstAttempts struct {
	asked    bool
	made     bool                       // by a release that makes them
	open     []activities.DeliverOutput // that another attempt or a wait follows
	finished *activities.FinishOutput   // the event ended with them
}

// due reports whether the next route comes with first attempts: the first route of a run that began at its beginning. A reset keeps
// the row in its state, so its attempts are decided one by one.
func (f *firstAttempts) due(ctx workflow.Context, in DeliverInput) bool {
	info := workflow.GetInfo(ctx)
	reset := info.OriginalRunID != "" && info.OriginalRunID != info.WorkflowExecution.RunID // the SDK's test environment has none
	due := !f.asked && in.Continued == nil && !reset
	f.asked = true
	return due
}

// take returns the first attempt at a destination, once.
func (f *firstAttempts) take(destination string) (activities.DeliverOutput, bool) {
	for i, out := range f.open {
		if out.End.Destination == destination {
			f.open = append(f.open[:i:i], f.open[i+1:]...)
			return out, true
		}
	}
	return activities.DeliverOutput{}, false
}

// attempted takes over the results of the first attempts.
func (d *delivery) attempted(ctx workflow.Context, first *activities.FirstAttempts) error {
	if !firstInRoute(first) {
		return nil
	}
	d.first.made, d.first.finished = true, first.Finished
	for _, out := range first.Attempts {
		if waits(out.End.Outcome) {
			d.first.open = append(d.first.open, out)
			continue
		}
		d.unrecorded = append(d.unrecorded, out.Unrecorded...)
		d.end(out.End)
	}
	return d.tagFirst(ctx)
}

// firstSummary names the destinations that a run is to go to, as far as its start knew them.
func firstSummary(ctx workflow.Context) string {
	const text = "first attempt"
	keys, known := workflow.GetTypedSearchAttributes(ctx).GetKeywordList(Destinations)
	if !known {
		return text
	}
	return text + " at " + strings.Join(keys, ", ")
}
