package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/proc"
	"relay/internal/relay"
)

const observability = "../../observability"

// TestEveryPanelAndEveryAlertHasData scrapes relays under load with a real Prometheus and runs the queries of the
// dashboards' panels. An empty panel, or an alert on an unknown metric, fails.
func TestEveryPanelAndEveryAlertHasData(t *testing.T) {
	t.Parallel()
	program := prometheusProgram(t)
	w := newWatchedWorld(t, "MAX_RETRY_ATTEMPTS=2")
	w.storefront(t, "shop")
	w.storefront(t, "down")
	w.storefront(t, "tired")
	off := w.storefront(t, "off")
	require.NoError(t, seed.On(w.Store).SetStorefrontActive(t.Context(), off, false))
	require.NoError(t, w.AddPlatform(t.Context(), off, "off", sandbox.Platforms()[0])) // for the switch of a platform
	w.always(t, "/down/", sandbox.Answer{Status: http.StatusUnauthorized})
	w.always(t, "/tired/", sandbox.Answer{Status: http.StatusServiceUnavailable})
	w.respondWith(t, "/shop/", 503, 503, 503, 400)
	api := w.relay(t, "api", "api")
	worker := w.relay(t, "worker", "worker")
	p := startPrometheus(t, program, api, worker)

	load := func(n int) {
		good := item("shop", fmt.Sprint("shop-", n))
		post(t, api, good, item("down", fmt.Sprint("down-", n)), item("tired", fmt.Sprint("tired-", n)), item("off", fmt.Sprint("off-", n)))
		bad := item("shop", "bad")
		bad["event_time"] = "no time"
		_, err := api.Post(t.Context(), harness.Batch(good, bad)) // a duplicate, and one that is refused
		require.NoError(t, err)
		w.insert(t, "shop", fmt.Sprint("row-", n))
	}
	panels := readPanels(t)
	require.Greater(t, len(panels), 50)
	ctx, cancel := context.WithTimeout(t.Context(), 2*bound)
	defer cancel()
	for n := 0; len(panels) > 0; n++ {
		load(n)
		for name, query := range panels {
			if p.finds(t, query) {
				delete(panels, name)
			}
		}
		select {
		case <-ctx.Done():
			require.Empty(t, panels, "these panels are empty: their queries return no data")
		case <-time.After(500 * time.Millisecond):
		}
	}
	require.Equal(t, relay.StatusSkipped, w.wait(t, "off-0", harness.Final).Status)
	for _, metric := range alertMetrics(t) { // a late scrape on a busy machine hides them until the next one
		eventually(t, func() error {
			if !p.finds(t, metric) {
				return fmt.Errorf("an alert uses %s, which has no data", metric)
			}
			return nil
		})
	}
	for _, fires := range []string{`RelayDestinationUnhealthy",storefront="down`, `RelayRetriesExhausted",storefront="tired`} {
		eventually(t, func() error {
			if !p.finds(t, `ALERTS{alertname="`+fires+`",destination="sgtm"}`) {
				return errNotYet
			}
			return nil
		})
	}
	for _, quiet := range []string{"RelayNoWorker", "RelayDatabaseAway", "RelayReconciler.*"} { // a late scrape makes one pending until the next
		eventually(t, func() error {
			if p.finds(t, `ALERTS{alertname=~"`+quiet+`"}`) {
				return fmt.Errorf("%s is pending, or fires", quiet)
			}
			return nil
		})
	}
}

// prometheusProgram returns a Prometheus from the PATH or from .cache, where deploy/observability/prometheus.sh stores it. Without
// one the test is skipped, unless PROMETHEUS=required, as in CI.
func prometheusProgram(t *testing.T) string {
	t.Helper()
	if program, err := exec.LookPath("prometheus"); err == nil {
		return program
	}
	program, err := filepath.Abs("../../../.cache/prometheus/usr/bin/prometheus")
	require.NoError(t, err)
	if _, err := os.Stat(program); err != nil && os.Getenv("PROMETHEUS") != "required" {
		t.Skip("Prometheus is not installed; deploy/observability/prometheus.sh downloads it")
	}
	require.FileExists(t, program)
	return program
}

type prometheus struct{ url string }

// startPrometheus starts a Prometheus with the project's rules, which scrapes the relays each second.
func startPrometheus(t *testing.T, program string, relays ...*harness.Relay) prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(filepath.Join(observability, "alerts.yml"))
	require.NoError(t, err)
	var targets []string
	for _, r := range relays {
		u, err := url.Parse(r.MetricsURL)
		require.NoError(t, err)
		targets = append(targets, `"`+u.Host+`"`)
	}
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs: [{job_name: relay, static_configs: [{targets: [%s]}]}]
`, rules, strings.Join(targets, ", "))), 0o600))
	port, err := proc.FreePort(t.Context())
	require.NoError(t, err)
	address := fmt.Sprint("127.0.0.1:", port)
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := proc.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, process.Stop(20*time.Second))
		require.NoError(t, log.Close())
	})
	p := prometheus{"http://" + address}
	eventually(t, func() error {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return errNotYet
		}
		return nil
	})
	return p
}

// finds reports whether a query returns a number: no series, or only NaN, is an empty panel.
func (p prometheus) finds(t *testing.T, query string) bool {
	t.Helper()
	response, err := http.PostForm(p.url+"/api/v1/query", url.Values{"query": {query}})
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var found struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Value [2]any
			}
		}
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&found))
	require.Equal(t, "success", found.Status, "%s: %s", query, found.Error)
	for _, series := range found.Data.Result {
		if series.Value[1] != "NaN" {
			return true
		}
	}
	return false
}

// readPanels returns the queries of all panels, by name, with Grafana's variables filled in.
func readPanels(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(observability, "grafana", "dashboards", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	queries := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Panels []struct {
				ID      int
				Title   string
				Targets []struct{ RefID, Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(text, &board))
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				name := fmt.Sprintf("%s %d %s %s", filepath.Base(file), panel.ID, panel.Title, target.RefID)
				require.NotContains(t, queries, name)
				queries[name] = strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m", "$storefront", "shop", "$destination", "sgtm").Replace(target.Expr)
			}
		}
	}
	return queries
}

// alertMetrics returns the metrics that the alerts use.
func alertMetrics(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, "alerts.yml"))
	require.NoError(t, err)
	found := regexp.MustCompile(`\brelay_[a-z_]+`).FindAllString(string(text), -1)
	require.Greater(t, len(found), 9)
	return found
}
