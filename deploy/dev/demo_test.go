package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireTimely checks that the day of demo events looks as if it had been delivered in the course of the day.
func requireTimely(t *testing.T, up *running, ports map[string]int) {
	t.Helper()
	words := strings.Fields(login(t, up.output())) // login oms, password ...
	ask := func(path string) (body map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address(ports["RELAY_PORT"])+path, nil)
		require.NoError(t, err)
		req.SetBasicAuth(strings.TrimSuffix(words[1], ","), words[3])
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		return body
	}
	for _, window := range ask("/admin/v1/service-levels")["windows"].([]any) {
		require.EqualValues(t, 1, window.(map[string]any)["freshness"], window)
	}
	list := ask("/admin/v1/events?source=oms_direct&status=delivered")["items"].([]any)
	require.NotEmpty(t, list)
	for _, one := range list {
		e := one.(map[string]any)
		created, err := time.Parse(time.RFC3339, e["created_at"].(string))
		require.NoError(t, err)
		finished, err := time.Parse(time.RFC3339, e["finished_at"].(string))
		require.NoError(t, err)
		require.Equal(t, 300*time.Millisecond, finished.Sub(created), e)
	}
}
