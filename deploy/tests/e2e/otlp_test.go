package e2e_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"relay/deploy/dev/harness"
)

// receiver accepts traces by OTLP over HTTP, as a collector does, and stores them.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	bytes []byte // as received, with the descriptions of the processes
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var export collector.ExportTraceServiceRequest
	if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes = append(r.bytes, body...)
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (r *receiver) all() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bytes)
}

// find returns the spans of a trace, or of all of them for "".
func (r *receiver) find(trace string) []*otlp.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*otlp.Span
	for _, s := range r.spans {
		if trace == "" || hex.EncodeToString(s.GetTraceId()) == trace {
			found = append(found, s)
		}
	}
	return found
}

// waitPath waits until a trace has a span of the last name whose ancestors have the names before it, in their order; others
// may lie between them. Then it returns the trace's spans.
func (r *receiver) waitPath(t *testing.T, trace string, path ...string) []*otlp.Span {
	t.Helper()
	var spans []*otlp.Span
	eventually(t, func() error {
		spans = r.find(trace)
		byID := map[string]*otlp.Span{}
		for _, s := range spans {
			byID[string(s.GetSpanId())] = s
		}
		for _, s := range spans {
			if leads(byID, s, path) {
				return nil
			}
		}
		return fmt.Errorf("no path %q among the spans %q", path, namesOf(spans))
	})
	return spans
}

func leads(byID map[string]*otlp.Span, s *otlp.Span, path []string) bool {
	if s.GetName() != path[len(path)-1] {
		return false
	}
	for left := path; s != nil; s = byID[string(s.GetParentSpanId())] {
		if s.GetName() == left[len(left)-1] {
			left = left[:len(left)-1]
		}
		if len(left) == 0 {
			return true
		}
	}
	return false
}

func namesOf(spans []*otlp.Span) []string {
	var names []string
	for _, s := range spans {
		names = append(names, s.GetName())
	}
	return names
}

// metricsOf returns the text of a relay's /metrics.
func metricsOf(t *testing.T, r *harness.Relay) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, r.MetricsURL, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return string(text)
}
