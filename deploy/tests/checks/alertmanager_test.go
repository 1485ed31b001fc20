package checks_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
)

var runbookLink = regexp.MustCompile(`docs/OPERATIONS\.md#([a-z-]+)`)

// receiverURL is the example receiver of the shipped configuration.
const receiverURL = "http://sandbox:8900/alerts"

func TestAlertmanagerAcceptsItsConfiguration(t *testing.T) {
	t.Parallel()
	check(t, "amtool", "check-config", "alertmanager.yml")
	require.Contains(t, check(t, "amtool", "config", "routes", "test", "--config.file=alertmanager.yml", "alertname=RelayNoWorker", "severity=page"), "example\n")
}

func TestPrometheusReachesAlertmanagerAndThatItsReceiver(t *testing.T) {
	t.Parallel()
	var config struct {
		Alerting struct {
			Alertmanagers []struct {
				Static []struct{ Targets []string } `json:"static_configs"`
			}
		}
	}
	readYAML(t, filepath.Join(observability, "prometheus.yml"), &config)
	require.Equal(t, []string{"alertmanager:9093"}, config.Alerting.Alertmanagers[0].Static[0].Targets)
	var alertmanager struct {
		Receivers []struct {
			Webhooks []struct{ URL string } `json:"webhook_configs"`
		}
	}
	readYAML(t, filepath.Join(observability, "alertmanager.yml"), &alertmanager)
	u, err := url.Parse(alertmanager.Receivers[0].Webhooks[0].URL)
	require.NoError(t, err)
	require.Equal(t, receiverURL, u.String())
	c, _ := readCompose(t)
	require.Contains(t, strings.Join(c.Services[u.Hostname()].Ports, " "), ":"+u.Port())
	for network, other := range map[string]string{"inside": "prometheus", "outside": u.Hostname()} {
		require.Contains(t, c.Services["alertmanager"].Networks, network)
		require.Contains(t, c.Services[other].Networks, network)
	}
}

// The sections that notices link to are in the page, and its table of notices names every kind.
func TestNoticesLinkToTheirRunbooks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "OPERATIONS.md"))
	require.NoError(t, err)
	sections := anchors(string(page))
	golden, err := os.ReadFile(filepath.Join(root, "cmd", "testdata", "notices.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, runbookLink.FindAllStringSubmatch(string(golden), -1))
	for _, m := range runbookLink.FindAllStringSubmatch(string(golden), -1) {
		require.Contains(t, sections, m[1])
	}
	for _, kind := range ops.NoticeKinds() {
		if kind != ops.NoticeTest {
			require.Contains(t, string(page), "\n| `"+string(kind)+"` |")
		}
	}
}
