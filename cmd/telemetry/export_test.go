package telemetry

// Summary exports summary.
var Summary = summary

// IDs carries a trace from one process to the next.
var IDs = ids{}
