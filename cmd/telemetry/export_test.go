package telemetry

// Summary is what a span says of a statement.
var Summary = summary

// IDs carries a trace from one process to the next.
var IDs = ids{}
