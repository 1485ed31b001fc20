package checks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"relay/cmd"
	"relay/workflows"
)

const (
	composeFile = "docker-compose.temporal.yml"
	envExample  = ".env.example"
)

// compose is the part of a compose file that these tests read.
type compose struct {
	Services map[string]service
	Networks map[string]struct {
		IPAM struct{ Config []addressRange }
	}
	Volumes map[string]any
}

type service struct {
	Image string
	Build *struct {
		Context, Dockerfile, Target string
		Args                        map[string]string
	}
	Command     []string
	Environment map[string]*string
	Ports       []string
	Volumes     []string
	Networks    networks
	User        string
	EntryPoint  []string
	Logging     *struct {
		Driver  string
		Options map[string]string
	}
	DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
	HealthCheck *struct {
		Test    []string
		Disable bool
	}
	Restart         string
	ReadOnly        bool   `json:"read_only"`
	MemLimit        string `json:"mem_limit"`
	Profiles        []string
	StopGracePeriod string `json:"stop_grace_period"`
}

func readCompose(t *testing.T) (compose, string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, composeFile))
	require.NoError(t, err)
	var c compose
	require.NoError(t, yaml.Unmarshal(text, &c))
	return c, string(text)
}

// relays returns the services that run the relay.
func (c compose) relays() map[string]service {
	found := map[string]service{}
	for name, s := range c.Services {
		if s.Build != nil && s.Build.Target == "relay" {
			found[name] = s
		}
	}
	return found
}

func TestTheRelaysRunCommandsThatExist(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	require.Len(t, c.relays(), 3)
	for name, s := range c.relays() {
		requireCommand(t, s.Command)
		require.True(t, s.ReadOnly, name)
		if s.HealthCheck.Disable {
			require.Equal(t, []string{"migrate", "up"}, s.Command, "the command ends by itself")
			continue
		}
		require.Equal(t, []string{"CMD", "/relay"}, s.HealthCheck.Test[:2])
		requireCommand(t, s.HealthCheck.Test[2:])
	}
}

func TestTheRelaysGetEveryVariableAndNoOther(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	for name, s := range c.relays() {
		for variable := range s.Environment {
			require.Contains(t, append(knownVariables(), "GOMEMLIMIT"), variable, name)
		}
		if name == "migrate" {
			require.NotContains(t, s.Environment, "ENCRYPTION_KEY", "the API does not use it")
			continue
		}
		for _, v := range cmd.Variables(cmd.Config{}) {
			require.Contains(t, s.Environment, v.Name, name)
		}
		for _, v := range traceVariables {
			require.Contains(t, s.Environment, v, name)
		}
	}
}

func TestObservabilityServicesRunOnlyWithTheirProfile(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	for name, s := range c.Services {
		observes := slices.Contains([]string{"prometheus", "alertmanager", "grafana"}, name)
		require.Equal(t, observes, slices.Equal([]string{"observability"}, s.Profiles), name)
		for other := range s.DependsOn {
			require.True(t, observes || len(c.Services[other].Profiles) == 0, "%s depends on %s, which may not run", name, other)
		}
	}
	require.NotContains(t, c.Services["grafana"].Networks, "outside")
}

func TestServicesDependOnlyOnServicesWithAHealthCheckOrAnEnd(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	for name, s := range c.Services {
		for other, wait := range s.DependsOn {
			require.Contains(t, c.Services, other, name)
			switch wait.Condition {
			case "service_healthy":
				require.NotNil(t, c.Services[other].HealthCheck, "%s depends on the health of %s", name, other)
			case "service_completed_successfully":
				require.Regexp(t, `^on-failure:\d+$`, c.Services[other].Restart, "%s ends, also if it cannot succeed: otherwise up waits for ever", other)
			default:
				require.Fail(t, "unknown condition", "%s: %s", name, wait.Condition)
			}
		}
		for network := range s.Networks {
			require.Contains(t, c.Networks, network, name)
		}
	}
	require.Equal(t, []string{"mysql", "databases", "temporal-schema", "temporal", "temporal-namespace", "migrate", "worker"}, c.longest("worker"))
}

// longest returns the longest chain of dependencies that ends at a service.
func (c compose) longest(name string) []string {
	var before []string
	for other := range c.Services[name].DependsOn {
		if chain := c.longest(other); len(chain) > len(before) {
			before = chain
		}
	}
	return append(slices.Clone(before), name)
}

func TestAWorkersContainerHasTimeToEndItsAttempts(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	grace, err := time.ParseDuration(c.Services["worker"].StopGracePeriod)
	require.NoError(t, err)
	require.Greater(t, grace, 2*workflows.WorkerStopTimeout+10*time.Second)
}

func TestPortsAreOnTheLoopbackAndImagesArePinned(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	published := map[string]string{}
	for name, s := range c.Services {
		for _, port := range s.Ports {
			require.Regexp(t, `^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$`, port, name)
			require.NotContains(t, published, port)
			published[port] = name
		}
		if s.Build == nil {
			require.Regexp(t, `^[a-z/-]+:v?\d+\.\d+\.\d+$`, s.Image, name)
			continue
		}
		require.Equal(t, ".", s.Build.Context)
		require.Contains(t, dockerfile(t), "\nFROM scratch AS "+s.Build.Target+"\n", name)
	}
}

func TestMountedFilesExist(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	used := map[string]bool{}
	for name, s := range c.Services {
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, "./") {
				require.Contains(t, c.Volumes, source, name)
				used[source] = true
				continue
			}
			require.True(t, strings.HasSuffix(volume, ":ro"), volume)
			info, err := os.Stat(filepath.Join(root, source))
			require.NoError(t, err, name)
			require.Equal(t, info.IsDir(), filepath.Ext(source) == "", "the engine makes a folder of a path that does not exist")
		}
	}
	require.Len(t, used, len(c.Volumes))
}

var (
	assignment   = regexp.MustCompile(`(?m)^(#?)([A-Z_]+)=(.*)$`)
	interpolated = regexp.MustCompile(`\$\{([A-Z_]+)`)
)

func TestEnvExampleListsTheConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, envExample))
	require.NoError(t, err)
	_, composeText := readCompose(t)
	values, commented := map[string]string{}, map[string]bool{}
	for _, m := range assignment.FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, values, m[2], "twice")
		values[m[2]], commented[m[2]] = m[3], m[1] == "#"
	}
	known := knownVariables()
	for _, v := range cmd.Variables(cmd.Config{}) {
		require.Contains(t, values, v.Name)
		switch {
		case v.Name == "DATABASE_URL":
			require.True(t, commented[v.Name], "the compose file sets it")
		case v.Required:
			require.False(t, commented[v.Name], v.Name)
		case v.Name == "TEMPORAL_UI_URL":
		default:
			require.True(t, commented[v.Name], v.Name)
			require.Equal(t, v.Default, values[v.Name], v.Name)
		}
	}
	for _, m := range interpolated.FindAllStringSubmatch(composeText, -1) {
		require.Contains(t, values, m[1], "the compose file uses it")
		known = append(known, m[1])
	}
	for name := range values {
		require.Contains(t, known, name, "no program reads it")
	}
}

// Compose 1.29.2, Debian's, is the strictest that is still in use.
func TestComposeAcceptsTheFile(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Skip("docker-compose is not installed")
	}
	text, err := os.ReadFile(filepath.Join(root, envExample))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "env")
	run := func(env []byte) (string, error) {
		require.NoError(t, os.WriteFile(file, env, 0o600))
		command := exec.CommandContext(t.Context(), program, "-f", composeFile, "--env-file", file, "config", "--quiet")
		command.Dir, command.Env = root, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
		out, err := command.CombinedOutput()
		return string(out), err
	}
	filled := regexp.MustCompile(`(?m)^([A-Z_]+)=$`).ReplaceAll(text, []byte("${1}=abc123"))
	out, err := run(filled)
	require.NoError(t, err, out)
	out, err = run(text)
	require.Error(t, err)
	require.Contains(t, out, "see .env.example")
}

// Without the profile that "up" had, "down" leaves its services running.
func TestDownNamesTheProfile(t *testing.T) {
	t.Parallel()
	found := 0
	for _, file := range []string{"README.md", ".github/workflows/ci.yml"} {
		for _, m := range regexp.MustCompile("(?:docker-compose[.]temporal[.]yml|`[.]{3})([a-z -]*) down\\b").FindAllStringSubmatch(readText(t, file), -1) {
			found++
			require.Equal(t, " --profile observability", m[1], file)
		}
	}
	require.GreaterOrEqual(t, found, 2)
}
