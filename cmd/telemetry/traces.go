package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"relay/internal/relay"
)

// flushTimeout is for the last spans of a process that ends.
const flushTimeout = 5 * time.Second

// Traces makes spans and sends them away by OTLP: one trace from an event's arrival to the vendor's response.
type Traces struct {
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// NewTraces reads OpenTelemetry's own variables, most of which (address, headers, sampler, batches) its SDK reads itself. It
// is nil where they do not ask for traces: without an address or OTEL_TRACES_EXPORTER=otlp nothing is traced.
func NewTraces(ctx context.Context, version, role string, log *slog.Logger) (*Traces, error) {
	on, err := wanted()
	if err != nil || !on {
		return nil, err
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last: they win.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "marketing-events-relay"),
		attribute.String("service.version", version),
		attribute.String("relay.role", role),
	), resource.WithFromEnv())
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES: cannot be read")
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.LogAttrs(context.Background(), slog.LevelWarn, "traces.lost", slog.String("error", err.Error()))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Traces{provider: provider, tracer: provider.Tracer("relay"), propagator: ids{}}, nil
}

func wanted() (bool, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch os.Getenv("OTEL_TRACES_EXPORTER") {
	case "":
		return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "", nil
	case "otlp":
		return true, nil
	case "none":
		return false, nil
	}
	return false, errors.New("OTEL_TRACES_EXPORTER: is neither otlp nor none")
}

func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	var e *otlptrace.Exporter
	var err error
	switch protocol {
	case "", "http/protobuf":
		e, err = otlptracehttp.New(ctx)
	case "grpc":
		e, err = otlptracegrpc.New(ctx)
	default:
		return nil, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL: is neither http/protobuf nor grpc")
	}
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return e, nil
}

// Close sends the remaining spans.
func (t *Traces) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// ids carries the ids of a trace from one process to the next, and nothing else: a tracestate or baggage that a client sent
// may hold anything, and would end up in Temporal's histories.
type ids struct{ propagation.TraceContext }

// Inject writes the ids.
func (p ids) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	p.TraceContext.Inject(ctx, idsCarrier{c})
}

// Extract reads the ids.
func (p ids) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	return p.TraceContext.Extract(ctx, idsCarrier{c})
}

// Fields are the names of its headers.
func (ids) Fields() []string { return []string{traceparent} }

const traceparent = "traceparent"

type idsCarrier struct{ propagation.TextMapCarrier }

// Get returns the ids alone.
func (c idsCarrier) Get(key string) string {
	if key != traceparent {
		return ""
	}
	return c.TextMapCarrier.Get(key)
}

// Set takes the ids alone.
func (c idsCarrier) Set(key, value string) {
	if key == traceparent {
		c.TextMapCarrier.Set(key, value)
	}
}

// Request begins the span of a request, within the trace of the client if it has one; the returned function ends it. Requests for
// health have none. A span has the route as the API declares it, not the path as it was sent.
func (t *Traces) Request(r *http.Request) (context.Context, func(method, route string, status int)) {
	ctx := r.Context()
	if strings.HasPrefix(r.URL.Path, "/health") {
		return ctx, func(string, string, int) {}
	}
	ctx = t.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(method, route string, status int) {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Sender makes exchanges with destinations.
type Sender interface {
	Send(ctx context.Context, r relay.Request) relay.Response
}

// Sender puts a span around each exchange. The destination gets no header of it.
func (t *Traces) Sender(next Sender) Sender { return tracedSender{t, next} }

type tracedSender struct {
	traces *Traces
	next   Sender
}

// Send makes the exchange. Of the URL the span has the host.
func (s tracedSender) Send(ctx context.Context, r relay.Request) relay.Response {
	ctx, span := s.traces.tracer.Start(ctx, "send", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	reply := s.next.Send(ctx, r)
	span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("server.address", hostOf(r.URL)),
		attribute.String("relay.adapter", r.Version), attribute.Int("http.response.status_code", reply.Status))
	if reply.TransportError != "" {
		span.SetAttributes(attribute.String("error.type", string(reply.TransportError)))
		span.SetStatus(codes.Error, string(reply.TransportError))
	}
	return reply
}

// Starter starts deliveries.
type Starter interface {
	StartDelivery(ctx context.Context, s relay.PendingDelivery) error
}

// Roots begins a trace of its own for each delivery that a poller starts: no request led to it, and the poller's own
// would never end.
func (t *Traces) Roots(next Starter) Starter { return rootStarter{t, next} }

type rootStarter struct {
	traces *Traces
	next   Starter
}

// StartDelivery starts a delivery.
func (s rootStarter) StartDelivery(ctx context.Context, e relay.PendingDelivery) error {
	ctx, span := s.traces.tracer.Start(ctx, "inbox", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer))
	defer span.End()
	span.SetAttributes(attribute.String("relay.storefront", e.StorefrontCode))
	err := s.next.StartDelivery(ctx, e)
	if err != nil {
		span.SetStatus(codes.Error, "not started")
	}
	return err
}
