package cmd

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"relay/activities"
	"relay/adapters/outbound"
	"relay/api"
	"relay/cmd/telemetry"
)

// instruments are the metrics and traces of a running relay: metrics if METRICS_ADDR is set, traces if OpenTelemetry's variables
// are. A nil part is off.
type instruments struct {
	metrics *telemetry.Metrics
	traces  *telemetry.Traces
}

func newInstruments(ctx context.Context, role api.Role, metricsAddr string, log *slog.Logger) (instruments, error) {
	var w instruments
	if metricsAddr != "" {
		w.metrics = telemetry.NewMetrics(version(), string(role), log)
	}
	var err error
	w.traces, err = telemetry.NewTraces(ctx, version(), string(role), log)
	return w, err
}

// log is the log with the ids of traces in it.
func (w instruments) log(l *slog.Logger) *slog.Logger {
	if w.traces == nil {
		return l
	}
	return slog.New(w.traces.Log(l.Handler()))
}

// temporal adds metrics and traces to the options of Temporal's client.
func (w instruments) temporal(o *client.Options) error {
	if w.metrics != nil {
		o.MetricsHandler = w.metrics.Temporal()
	}
	if w.traces == nil {
		return nil
	}
	i, err := w.traces.Interceptor()
	o.Interceptors = append(o.Interceptors, []interceptor.ClientInterceptor{i}...)
	return err
}

// connector wraps the database's driver for traces; nil without them.
func (w instruments) connector() func(driver.Connector) driver.Connector {
	if w.traces == nil {
		return nil
	}
	return w.traces.Connector
}

func (w instruments) apiMeter() api.Meter {
	if w.metrics == nil {
		return nil
	}
	return w.metrics
}

func (w instruments) apiTracer() api.Tracer {
	if w.traces == nil {
		return nil
	}
	return w.traces
}

func (w instruments) meter() activities.Meter {
	if w.metrics == nil {
		return nil
	}
	return w.metrics
}

func (w instruments) sender(c *outbound.Client) activities.Sender {
	if w.traces == nil {
		return c
	}
	return w.traces.Sender(c)
}

// roots is the poller's way to start deliveries.
func (w instruments) roots(next activities.Starter) activities.Starter {
	if w.traces == nil {
		return next
	}
	return w.traces.Roots(next)
}

// serve serves metrics until the returned function is called, which also sends the last spans.
func (w instruments) serve(ctx context.Context, address string, log *slog.Logger) (func(), error) {
	closeTraces := func() {
		if w.traces == nil {
			return
		}
		if err := w.traces.Close(); err != nil {
			log.Warn("traces.lost", "error", err)
		}
	}
	if w.metrics == nil {
		return closeTraces, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("METRICS_ADDR: %w", err)
	}
	server := &http.Server{
		Handler:           w.metrics.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics.stopped", "error", err)
		}
	}()
	log.Info("metrics.started", "address", listener.Addr().String())
	return func() {
		closeTraces()
		_ = server.Close()
	}, nil
}
