package checks_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// addressRange is a network's subnet, and the part of it that the engine assigns to containers without a fixed address.
type addressRange struct {
	Subnet string
	Range  string `json:"ip_range"`
}

// networks holds the networks of a service, with its fixed address in each, if it has one.
type networks map[string]endpoint

type endpoint struct {
	Address string `json:"ipv4_address"`
}

// UnmarshalJSON takes both forms of a compose file: a list of names, or names with settings.
func (n *networks) UnmarshalJSON(text []byte) error {
	var names []string
	if json.Unmarshal(text, &names) != nil {
		return json.Unmarshal(text, (*map[string]endpoint)(n))
	}
	*n = networks{}
	for _, name := range names {
		(*n)[name] = endpoint{}
	}
	return nil
}

// An address that is both fixed and free to give could be another container's already.
func TestFixedAddressesAreInTheirSubnetAndOutsideTheRangeOfTheEngine(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	var subnets []netip.Prefix
	for name, network := range c.Networks {
		require.Len(t, network.IPAM.Config, 1, name)
		subnet, free := netip.MustParsePrefix(network.IPAM.Config[0].Subnet), netip.MustParsePrefix(network.IPAM.Config[0].Range)
		require.True(t, subnet.Contains(free.Addr()) && free.Bits() > subnet.Bits(), name)
		for _, other := range subnets {
			require.False(t, subnet.Overlaps(other), name)
		}
		subnets = append(subnets, subnet)
		taken := map[netip.Addr]string{subnet.Addr().Next(): "the host"}
		for service, s := range c.Services {
			if s.Networks[name].Address == "" {
				continue
			}
			address := netip.MustParseAddr(s.Networks[name].Address)
			require.True(t, subnet.Contains(address) && !free.Contains(address), service)
			require.NotContains(t, taken, address, service)
			taken[address] = service
		}
	}
}

// Temporal stores the addresses of its nodes: under a new one, a server waits for the node that it was before.
func TestTemporalKeepsItsAddress(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	require.NotEmpty(t, c.Services["temporal"].Networks["inside"].Address)
}

func TestDeliveriesReachTheSandboxAndNoOtherPrivateAddress(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	for _, name := range []string{"api", "worker"} {
		m := regexp.MustCompile(`^\$\{ALLOWED_PRIVATE_NETS:-(.*)\}$`).FindStringSubmatch(*c.Services[name].Environment["ALLOWED_PRIVATE_NETS"])
		require.NotNil(t, m, name)
		require.Equal(t, c.Services["sandbox"].Networks["outside"].Address+"/32", m[1], name)
	}
}

func TestLogsCannotFillTheDisk(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	for name, s := range c.Services {
		require.NotNil(t, s.Logging, name)
		require.Equal(t, "json-file", s.Logging.Driver, name)
		require.Regexp(t, `^\d+m$`, s.Logging.Options["max-size"], name)
		require.Regexp(t, `^\d$`, s.Logging.Options["max-file"], name)
	}
}

// The other containers run as users that may not read a checkout made under umask 027; the service databases reports it first.
func TestFilesThatContainersCannotReadAreNamed(t *testing.T) {
	t.Parallel()
	c, _ := readCompose(t)
	databases := c.Services["databases"]
	require.Equal(t, "root", databases.User)
	require.Equal(t, []string{"/bin/sh", "/deploy/compose/databases.sh"}, databases.EntryPoint)
	for name, s := range c.Services {
		for _, volume := range s.Volumes {
			if m := regexp.MustCompile(`^\./(deploy/[a-z]+)`).FindStringSubmatch(volume); m != nil {
				require.Contains(t, databases.Volumes, "./"+m[1]+":/"+m[1]+":ro", "%s has a file that databases does not check", name)
			}
		}
	}
	script, err := os.ReadFile("../../compose/databases.sh")
	require.NoError(t, err)
	for name, mode := range map[string]struct{ folder, file os.FileMode }{
		"a file under umask 027": {0o755, 0o640}, "a file under umask 077": {0o755, 0o600}, "a folder under umask 027": {0o750, 0o644},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "deploy", "compose")
			require.NoError(t, os.MkdirAll(folder, 0o700))
			require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "databases.sh"), script, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "settings.yaml"), nil, 0o600))
			require.NoError(t, os.Chmod(filepath.Join(folder, "databases.sh"), 0o755))
			require.NoError(t, os.Chmod(filepath.Join(folder, "settings.yaml"), mode.file))
			require.NoError(t, os.Chmod(folder, mode.folder))
			out, err := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join(folder, "databases.sh")).CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), "chmod -R o+rX deploy")
			if mode.file != 0o644 {
				require.Regexp(t, `compose/settings\.yaml$`, string(out[:len(out)-1]))
			}
		})
	}
}
