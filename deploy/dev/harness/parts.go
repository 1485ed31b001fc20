package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/deploy/sandbox"
	"relay/internal/proc"
)

const host = "127.0.0.1"

// Programs holds the command lines, without arguments, of the two programs that run the parts.
type Programs struct {
	Dev   []string // deploy/dev: temporal, sandbox
	Relay []string // the relay with the sandbox platform
}

// Announcement is the line of JSON that a part prints once it is ready.
type Announcement struct {
	Address  string `json:"address"`
	UIURL    string `json:"ui_url,omitempty"`
	CallsURL string `json:"calls_url,omitempty"`
	// TLSAddress is the address at which a sandbox serves HTTPS beside HTTP.
	TLSAddress string `json:"tls_address,omitempty"`
}

// TemporalOptions adjust the embedded Temporal.
type TemporalOptions struct {
	Dir       string
	Port      int     // 0 chooses a free one
	UIPort    int     // 0 chooses a free one, negative runs no Web UI
	FaultRate float64 // share of the storage calls that fail
	// NoFairness ignores fairness keys, as a cluster does by default.
	NoFairness bool
	Namespace  string // default "default"
	// ContinueAfter is the number of history events after which Temporal suggests to continue as new; 0 is its default.
	ContinueAfter int
}

// Temporal is the embedded Temporal as a process.
type Temporal struct {
	*Process
	announced Announcement
}

// NewTemporal describes a Temporal; Start starts it. It keeps its ports and workflows over a restart.
func NewTemporal(programs Programs, o TemporalOptions) *Temporal {
	t := &Temporal{}
	t.Process = &Process{
		name: "temporal",
		log:  filepath.Join(o.Dir, "process.log"),
		// Its clean stop takes a second; its data survives a kill, too.
		grace: 20 * time.Second,
		ready: announcement(&t.announced),
		line: func() []string {
			return append(append([]string{}, programs.Dev...), "temporal",
				"--dir", o.Dir,
				"--no-fairness="+strconv.FormatBool(o.NoFairness),
				"--namespace", o.Namespace,
				"--continue-after", strconv.Itoa(o.ContinueAfter),
				"--port", strconv.Itoa(portOr(o.Port, t.announced.Address)),
				"--ui-port", strconv.Itoa(portOr(o.UIPort, t.announced.UIURL)),
				"--fault-rate", strconv.FormatFloat(o.FaultRate, 'g', -1, 64))
		},
	}
	return t
}

// temporalAttempts is the number of times that Temporal is started: on a busy machine it ends itself if it is too slow to
// start its own system workflows.
const temporalAttempts = 3

// Start starts Temporal and returns when it is ready.
func (t *Temporal) Start(ctx context.Context) error {
	var err error
	for range temporalAttempts {
		if err = t.Process.Start(ctx); err == nil || ctx.Err() != nil {
			return err
		}
	}
	log, _ := os.ReadFile(filepath.Join(filepath.Dir(t.log), "temporal.log")) // the likely place of the reason
	return fmt.Errorf("%w\n%s", err, log[max(0, len(log)-2000):])
}

// Restart stops Temporal if it runs, and starts it again on the same ports and files.
func (t *Temporal) Restart(ctx context.Context) error { return errors.Join(t.Stop(), t.Start(ctx)) }

// Address is the frontend's host:port. It is known after the first Start.
func (t *Temporal) Address() string { return t.announced.Address }

// UIURL is the Web UI's address, "" without one. It is known after the first Start.
func (t *Temporal) UIURL() string { return t.announced.UIURL }

// Calls returns how often each method of Temporal was called since its start.
func (t *Temporal) Calls(ctx context.Context) (map[string]int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.announced.CallsURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	var calls map[string]int64
	err = json.NewDecoder(response.Body).Decode(&calls)
	return calls, errors.Join(err, response.Body.Close())
}

// SandboxOptions adjust the sandbox.
type SandboxOptions struct {
	Dir      string // for its log
	Port     int    // 0 chooses a free one
	Sink     bool
	KeyField string
	TLS      bool // serve HTTPS with HTTP/2, too, at TLSURL
}

// Sandbox is the destinations as a process, with the client that controls it. A restart deletes the recorded requests.
type Sandbox struct {
	*Process
	sandbox.Client
	TLSURL string // "" without TLS
	// CAFile holds the certificate that a client has to trust for TLSURL, such as by SSL_CERT_FILE.
	CAFile    string
	announced Announcement
}

// NewSandbox describes a sandbox; Start starts it.
func NewSandbox(programs Programs, o SandboxOptions) *Sandbox {
	s := &Sandbox{CAFile: filepath.Join(o.Dir, "sandbox.pem")}
	s.Process = &Process{
		name:  "sandbox",
		log:   filepath.Join(o.Dir, "sandbox.log"),
		grace: 5 * time.Second,
		ready: func(ctx context.Context, announced <-chan []byte) error {
			err := announcement(&s.announced)(ctx, announced)
			s.BaseURL = "http://" + s.announced.Address
			if o.TLS {
				s.TLSURL = "https://" + s.announced.TLSAddress
			}
			return err
		},
		line: func() []string {
			line := append(append([]string{}, programs.Dev...), "sandbox", "--port", strconv.Itoa(portOr(o.Port, s.announced.Address)))
			if o.Sink {
				line = append(line, "--sink")
			}
			if o.KeyField != "" {
				line = append(line, "--key", o.KeyField)
			}
			if o.TLS {
				line = append(line, "--tls", s.CAFile)
			}
			return line
		},
	}
	return s
}

// portOr returns the configured port, else that of an earlier start.
func portOr(configured int, announced string) int {
	if configured != 0 || announced == "" {
		return configured
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(announced, "http://"))
	if err != nil {
		return configured
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return configured
	}
	return n
}

// RelayOptions adjust one relay process.
type RelayOptions struct {
	Name string // for messages and the log file; default "relay"
	Role string // serve, api or worker; default serve
	Dir  string // for its log
	Port int    // 0 chooses a free one
	Env  []string
	// Metrics serves /metrics, at a free port.
	Metrics bool
}

// Relay is one relay process.
type Relay struct {
	*Process
	URL                string
	MetricsURL         string // "" without Metrics
	username, password string
}

// NewRelay describes a relay process; Start starts it and waits until it is ready for its role. o.Env is its whole
// environment, except for LISTEN_ADDR.
func NewRelay(ctx context.Context, programs Programs, o RelayOptions) (*Relay, error) {
	if o.Name == "" {
		o.Name = "relay"
	}
	if o.Role == "" {
		o.Role = "serve"
	}
	if o.Port == 0 {
		free, err := proc.FreePort(ctx)
		if err != nil {
			return nil, err
		}
		o.Port = free
	}
	address := net.JoinHostPort(host, strconv.Itoa(o.Port))
	metrics := ""
	if o.Metrics {
		free, err := proc.FreePort(ctx)
		if err != nil {
			return nil, err
		}
		metrics = net.JoinHostPort(host, strconv.Itoa(free))
		o.Env = append(append([]string{}, o.Env...), "METRICS_ADDR="+metrics)
	}
	r := &Relay{URL: "http://" + address, username: lookup(o.Env, "BASIC_AUTH_USERNAME"), password: lookup(o.Env, "BASIC_AUTH_PASSWORD")}
	if metrics != "" {
		r.MetricsURL = "http://" + metrics + "/metrics"
	}
	r.Process = &Process{
		name: o.Name,
		log:  filepath.Join(o.Dir, o.Name+".log"),
		// Requests and starts drain 10 s, then the worker's two halves 20 s each.
		grace: time.Minute,
		env:   append(append([]string{}, o.Env...), "LISTEN_ADDR="+address),
		line:  func() []string { return append(append([]string{}, programs.Relay...), o.Role) },
		ready: func(ctx context.Context, _ <-chan []byte) error {
			return poll(ctx, 20*time.Millisecond, func() error { return r.Ready(ctx) })
		},
	}
	return r, nil
}

// Ready requests /health/ready and returns nil for 200.
func (r *Relay) Ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/health/ready", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s responded %s: %s", request.URL, response.Status, body)
	}
	return errors.Join(err, response.Body.Close())
}

// RunRelay runs a command of the relay that ends by itself, such as "migrate", "up", and returns its output.
func RunRelay(ctx context.Context, programs Programs, env []string, args ...string) (string, error) {
	return run(ctx, append(append([]string{}, programs.Relay...), args...), env)
}

// lookup returns the last value of a variable in an environment, which is the one that a process reads.
func lookup(env []string, name string) string {
	value := ""
	for _, pair := range env {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// PlainEnv returns the variables of this process that any program needs, and none that would configure the relay.
func PlainEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
