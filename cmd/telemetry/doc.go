// Package telemetry holds the relay's metrics for Prometheus and traces for OpenTelemetry. It fulfils the small interfaces that
// other packages declare where they count or begin something; none of them imports it. Labels have
// bounds, and nothing of a payload, a person or a secret is in a label, a span or a header.
package telemetry
