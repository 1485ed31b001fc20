package workflows

// Gates of changes to the commands of a workflow, for workflow.GetVersion. A name stays for as long as a history may hold it.
const (
	// gateContinue lets DeliverEvent continue as new. It is asked only where that happens, so other histories have no marker.
	gateContinue = "deliver-continues-as-new"
)
