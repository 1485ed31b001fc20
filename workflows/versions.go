package workflows

import "relay/activities"

// Gates of changes to the commands of a workflow, for workflow.GetVersion. A name stays for as long as a history may hold it.
const (
	// gateContinue lets DeliverEvent continue as new. It is asked only where that happens, so other histories have no marker.
	gateContinue = "deliver-continues-as-new"
)

// Gates that need no marker, because the result of a step, which replay reads from the history, shows which release made it. The
// marker of GetVersion would cost every event two entries of its history and a write to the list of workflows.

// firstInRoute is the gate of the first attempts that ResolveRoute makes. The result of an older release has none; its targets are
// activities.
func firstInRoute(first *activities.FirstAttempts) bool { return first != nil }

// sameRoute is the gate of an attempt that follows a wait for a limit without a new route. The result of an older release does not
// ask for it; its next attempt follows a new route.
func sameRoute(out activities.DeliverOutput) bool { return out.SameRoute }
