package checks_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const observability = "../../observability"

// program finds one of Prometheus's programs, in the PATH or in .cache, where deploy/observability/prometheus.sh puts it. The test
// is skipped without it, unless PROMETHEUS=required, as CI sets it.
func program(t *testing.T, name string) string {
	t.Helper()
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	found, err := filepath.Abs(filepath.Join(root, ".cache", "prometheus", "usr", "bin", name))
	require.NoError(t, err)
	if _, err := os.Stat(found); err != nil && os.Getenv("PROMETHEUS") != "required" {
		t.Skip(name + " is not installed; deploy/observability/prometheus.sh downloads it")
	}
	return found
}

// check runs a command in deploy/observability, which must succeed, and returns its output.
func check(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program(t, name), args...)
	command.Dir = observability
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestAlertsFireWhenTheyShouldAndNotBefore(t *testing.T) {
	t.Parallel()
	check(t, "promtool", "test", "rules", "alerts.test.yml")
}

func TestPrometheusAcceptsItsConfiguration(t *testing.T) {
	t.Parallel()
	check(t, "promtool", "check", "config", "prometheus.yml")
}

func TestPrometheusScrapesTheServicesThatHaveMetrics(t *testing.T) {
	t.Parallel()
	var config struct {
		Scrape []struct {
			DNS []struct {
				Names []string
				Port  int
			} `json:"dns_sd_configs"`
		} `json:"scrape_configs"`
	}
	readYAML(t, filepath.Join(observability, "prometheus.yml"), &config)
	c, _ := readCompose(t)
	require.Equal(t, []string{"api", "worker"}, config.Scrape[0].DNS[0].Names)
	for _, name := range config.Scrape[0].DNS[0].Names {
		require.Equal(t, ":9090", *c.Services[name].Environment["METRICS_ADDR"])
		require.Contains(t, c.Services[name].Networks, "inside")
	}
	require.Equal(t, 9090, config.Scrape[0].DNS[0].Port)
}

func TestEveryAlertIsTestedAndHasARunbook(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations struct {
					Runbook string `json:"runbook_url"`
				}
			}
		}
	}
	readYAML(t, filepath.Join(observability, "alerts.yml"), &rules)
	tests, err := os.ReadFile(filepath.Join(observability, "alerts.test.yml"))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "OPERATIONS.md"))
	require.NoError(t, err)
	sections, alerts := anchors(string(page)), 0
	for _, rule := range slices.Concat(rules.Groups[0].Rules, rules.Groups[1].Rules) {
		if rule.Alert == "" { // a recorded one
			continue
		}
		alerts++
		require.Contains(t, string(tests), "- alertname: "+rule.Alert+"\n", "no test in which it fires")
		require.Contains(t, string(tests), "{alertname: "+rule.Alert+",", "no test in which it does not fire")
		name, anchor, _ := strings.Cut(rule.Annotations.Runbook, "#")
		require.Equal(t, "docs/OPERATIONS.md", name, rule.Alert)
		require.Contains(t, sections, anchor, rule.Alert)
		require.Regexp(t, "(?m)^\\| `"+rule.Alert+"` \\|.*\\]\\(#"+anchor+"\\) \\|$", string(page), "the table of alerts names another section")
	}
	require.Greater(t, alerts, 12)
}

func TestDashboardsUseTheProvisionedDataSource(t *testing.T) {
	t.Parallel()
	var sources struct{ Datasources []struct{ UID string } }
	readYAML(t, filepath.Join(observability, "grafana", "provisioning", "datasources", "prometheus.yml"), &sources)
	files, err := filepath.Glob(filepath.Join(observability, "grafana", "dashboards", "*.json"))
	require.NoError(t, err)
	uids, repeated := map[string]bool{}, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`"datasource": \{\s*"type": "prometheus",\s*"uid": "([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
			require.Equal(t, sources.Datasources[0].UID, m[1], file)
		}
		var board struct {
			UID, Title string
			Templating struct{ List []struct{ Name string } }
			Panels     []struct {
				ID      int
				Title   string
				Repeat  string
				GridPos struct{ X, Y, W, H int }
			}
		}
		require.NoError(t, json.Unmarshal(text, &board))
		require.False(t, uids[board.UID], "%s: twice", board.UID)
		uids[board.UID] = true
		taken := map[[2]int]string{}
		require.True(t, slices.ContainsFunc(board.Templating.List, func(v struct{ Name string }) bool { return v.Name == "destination" }), file)
		for i, p := range board.Panels {
			if p.Repeat != "" { // a row for each value: what follows it is repeated with it
				require.Equal(t, "destination", p.Repeat)
				require.Greater(t, len(board.Panels), i+4, p.Title)
				repeated++
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				require.Less(t, x, 24, p.Title)
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s: %s overlaps another panel", board.Title, p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
	require.Len(t, uids, 2)
	require.Equal(t, 2, repeated, "each dashboard has a row for each destination")
	c, _ := readCompose(t)
	require.Contains(t, strings.Join(c.Services["grafana"].Volumes, " "), "/etc/grafana/dashboards:ro")
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}
