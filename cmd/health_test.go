package cmd_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd"
)

func TestHealthAsksTheRelayInItsOwnContainer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)

	for _, listen := range []string{":" + port, "0.0.0.0:" + port, "127.0.0.1:" + port} {
		t.Setenv("LISTEN_ADDR", listen)
		require.Zero(t, cmd.Main(context.Background(), []string{"health"}, nil), listen)
		require.Equal(t, 1, cmd.Main(context.Background(), []string{"health", "--ready"}, nil), "503 is not ready")
	}
}

func TestHealthReportsARelayThatDoesNotRun(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:1", "8000", ":no port"} {
		t.Setenv("LISTEN_ADDR", listen)
		require.Equal(t, 1, cmd.Main(context.Background(), []string{"health"}, nil), listen)
	}
}
