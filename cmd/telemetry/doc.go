// Package telemetry is what the relay tells of itself while it runs: metrics for Prometheus and traces for OpenTelemetry. It
// fulfils the small interfaces that others declare where they count or begin something; none of them knows it. Labels have
// bounds, and nothing of a payload, a person or a secret is in a label, a span or a header.
package telemetry
