package telemetry

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// traced are the workflow and the activities that have spans. Housekeeping has none: PollInbox never ends, and neither would
// its trace.
var traced = []string{"DeliverEvent", "ResolveRoute", "Deliver", "Finish"}

// Interceptor carries a trace through Temporal, in a header of the workflow that holds its ids.
func (t *Traces) Interceptor() (interceptor.ClientInterceptor, error) {
	return opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer:                  t.tracer,
		TextMapPropagator:       t.propagator,
		DisableBaggage:          true,
		DisableQueryTracing:     true,
		DisableSignalTracing:    true,
		AllowInvalidParentSpans: true,
		SpanStarter: func(ctx context.Context, tracer trace.Tracer, name string, opts ...trace.SpanStartOption) trace.Span {
			if _, of, _ := strings.Cut(name, ":"); !slices.Contains(traced, of) {
				return noop.Span{}
			}
			_, span := tracer.Start(ctx, name, opts...)
			return span
		},
	})
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Log adds the ids of a trace to the lines that are written within it.
func (t *Traces) Log(h slog.Handler) slog.Handler { return traceHandler{h} }

type traceHandler struct{ slog.Handler }

// Handle writes a line.
func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		r.AddAttrs(slog.String("trace_id", s.TraceID().String()), slog.String("span_id", s.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is the same handler with attributes.
func (h traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup is the same handler with a group.
func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}
