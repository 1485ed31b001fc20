package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v10"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"relay/api"
	"relay/db"
	"relay/internal/relay"
	"relay/workflows"
)

// Database holds the settings of every command that uses the database.
type Database struct {
	URL relay.Secret `env:"DATABASE_URL,required,notEmpty" desc:"MySQL: mysql+aiomysql://user:pass@host/db, mysql://..., or the Go driver's DSN"`
}

// Temporal holds the settings of every command that uses Temporal, beside the variables of Temporal's own tools
// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_...).
type Temporal struct {
	TaskQueue string `env:"TEMPORAL_TASK_QUEUE" envDefault:"relay" desc:"Temporal task queue"`
	SearchIDs bool   `env:"TEMPORAL_SEARCH_IDS" envDefault:"true" desc:"make event ids and types searchable in Temporal; false for a cluster outside the owner's trust"`
	UIURL     string `env:"TEMPORAL_UI_URL" desc:"address of Temporal's Web UI, for links"`

	options client.Options
}

// Config is everything that serve, api and worker read from the environment. It is read nowhere else.
type Config struct {
	Database
	Temporal
	Username           string         `env:"BASIC_AUTH_USERNAME,required,notEmpty" desc:"login of OMS and, by default, of admins"`
	Password           relay.Secret   `env:"BASIC_AUTH_PASSWORD,required,notEmpty" desc:"its password"`
	AdminUsername      string         `env:"ADMIN_AUTH_USERNAME" desc:"separate admin login; if unset, OMS's login has admin rights"`
	AdminPassword      relay.Secret   `env:"ADMIN_AUTH_PASSWORD" desc:"its password"`
	AdminUsersFile     string         `env:"ADMIN_USERS_FILE" desc:"file of admins, so that the audit names each admin: lines of name:bcrypt-hash:role, the role admin or read-only"`
	FailuresAccount    int            `env:"LOGIN_FAILURES_PER_ACCOUNT" envDefault:"10" desc:"failed logins of one account within LOGIN_WINDOW after which an address with a failure of its own gets 429 for it"`
	FailuresAddress    int            `env:"LOGIN_FAILURES_PER_ADDRESS" envDefault:"50" desc:"failed logins from one address (IPv6: one /64) within LOGIN_WINDOW after which it gets 429"`
	LoginWindow        time.Duration  `env:"LOGIN_WINDOW" envDefault:"15m" desc:"time in which the counts of failed logins fall to zero, evenly"`
	TrustedProxies     []netip.Prefix `env:"TRUSTED_PROXIES" desc:"CIDRs, comma-separated, of proxies whose X-Forwarded-For names the client, for the limit by address; unset: the address of the connection counts"`
	EncryptionKey      relay.Secret   `env:"ENCRYPTION_KEY,required,notEmpty" desc:"Fernet key for credentials; several, comma-separated: the first encrypts, all decrypt (relay keygen makes one)"`
	MaxRetryAttempts   int            `env:"MAX_RETRY_ATTEMPTS" envDefault:"5" desc:"attempts per destination in total"`
	RetryBackoffBase   int            `env:"RETRY_BACKOFF_BASE" envDefault:"60" desc:"seconds before the second attempt; then doubled each time"`
	Debug              bool           `env:"DEBUG" envDefault:"false" desc:"log more"`
	ListenAddr         string         `env:"LISTEN_ADDR" envDefault:":8000" desc:"address of the API"`
	PublicURL          string         `env:"PUBLIC_URL" desc:"address under which browsers reach the API; needed if a proxy changes the Host header, because requests of other origins are refused"`
	Console            bool           `env:"CONSOLE" envDefault:"true" desc:"serve the web console at /console/; the worker role has none"`
	MetricsAddr        string         `env:"METRICS_ADDR" desc:"address of /metrics for Prometheus, separate because it has no login, such as :9090; empty is off"`
	PollInterval       time.Duration  `env:"POLL_INTERVAL" envDefault:"1s" desc:"how often PollInbox looks for rows without a delivery"`
	PollShards         int            `env:"POLL_SHARDS" envDefault:"1" desc:"pollers of the inbox, each for a part of the storefronts; with as many as workers, each worker starts and delivers a part"`
	StartBurst         int            `env:"START_BURST" envDefault:"200" desc:"per storefront: maximum events whose delivery the API starts at once; PollInbox starts the rest"`
	MaxInFlight        int            `env:"MAX_IN_FLIGHT" envDefault:"500" desc:"per storefront: maximum events started but not yet attempted; PollInbox starts no more"`
	MaxBodyBytes       int64          `env:"MAX_BODY_BYTES" envDefault:"33554432" desc:"size limit of a request body, decompressed"`
	MaxBodiesBytes     int64          `env:"MAX_BODIES_BYTES" envDefault:"50331648" desc:"size limit of all request bodies in flight, decompressed; a request beyond it gets 503 with Retry-After. At least MAX_BODY_BYTES and 4 MiB; a process needs up to six times as much memory"`
	AllowedPrivateNets []netip.Prefix `env:"ALLOWED_PRIVATE_NETS" desc:"CIDRs, comma-separated, of private networks that destinations may be in; plain http is allowed there"`
	OutboundProxy      *url.URL       `env:"OUTBOUND_PROXY" desc:"the only proxy used for deliveries"`
	Retention
	Notify
}

// Policy is the retry policy that the settings make.
func (c Config) Policy() relay.Policy {
	return relay.Policy{MaxAttempts: c.MaxRetryAttempts, Base: time.Duration(c.RetryBackoffBase) * time.Second}
}

// Load reads the configuration of the service.
func Load() (Config, error) {
	var c Config
	if err := parse(&c); err != nil {
		return c, err
	}
	if err := c.check(); err != nil {
		return c, err
	}
	return c, c.connect()
}

// check refuses values that the types allow.
func (c Config) check() error {
	switch {
	case c.MaxRetryAttempts < 1:
		return errors.New("MAX_RETRY_ATTEMPTS: must be 1 or more")
	case c.RetryBackoffBase < 1:
		return errors.New("RETRY_BACKOFF_BASE: must be 1 second or more")
	case c.PollInterval < 10*time.Millisecond:
		return errors.New("POLL_INTERVAL: must be 10ms or more")
	case c.PollShards < 1 || c.PollShards > workflows.MaxPollShards:
		return fmt.Errorf("POLL_SHARDS: must be 1 to %d", workflows.MaxPollShards)
	case c.StartBurst < 0:
		return errors.New("START_BURST: must be 0 or more")
	case c.MaxInFlight < 1:
		return errors.New("MAX_IN_FLIGHT: must be 1 or more")
	case c.FailuresAccount < 1:
		return errors.New("LOGIN_FAILURES_PER_ACCOUNT: must be 1 or more")
	case c.FailuresAddress < 1:
		return errors.New("LOGIN_FAILURES_PER_ADDRESS: must be 1 or more")
	case c.LoginWindow < time.Second:
		return errors.New("LOGIN_WINDOW: must be 1s or more")
	case c.MaxBodyBytes < 1:
		return errors.New("MAX_BODY_BYTES: must be 1 or more")
	case c.MaxBodiesBytes < 1:
		return errors.New("MAX_BODIES_BYTES: must be 1 or more")
	case c.OutboundProxy != nil && (c.OutboundProxy.Host == "" || !strings.HasPrefix(c.OutboundProxy.Scheme, "http")):
		return errors.New("OUTBOUND_PROXY: must be an http or https URL")
	}
	if err := checkWebUI(c.UIURL); err != nil {
		return err
	}
	if err := api.CheckPublicURL(c.PublicURL); err != nil {
		return fmt.Errorf("PUBLIC_URL: %w", err)
	}
	if err := c.Retention.check(); err != nil {
		return err
	}
	if err := c.Notify.check(c.AllowedPrivateNets); err != nil {
		return err
	}
	if c.NotifyURL.IsSet() && c.PublicURL == "" {
		return errors.New("PUBLIC_URL: is required with NOTIFY_URL, for the links of notices")
	}
	if _, err := c.admins(); err != nil {
		return err
	}
	if _, err := db.ParseURL(c.URL.Reveal()); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if _, err := db.NewKeys(c.EncryptionKey.Reveal()); err != nil {
		return fmt.Errorf("ENCRYPTION_KEY: %w", err)
	}
	return nil
}

// connect reads how to reach Temporal from the variables of Temporal's own tools.
func (t *Temporal) connect() error {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return errors.New("TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS or TEMPORAL_CONFIG_FILE: cannot be read")
	}
	if err := checkTarget(o.HostPort); err != nil {
		return err
	}
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	// Messages to Temporal have a few hundred bytes: compressing them costs both sides a tenth of their work.
	o.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	t.options = o
	return nil
}

// checkTarget refuses an address that cannot be dialled. Empty is the SDK's default; gRPC itself checks one with a
// scheme ("dns:///...").
func checkTarget(address string) error {
	if address == "" || strings.Contains(address, "://") {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 {
		return errors.New("TEMPORAL_ADDRESS: must be host:port")
	}
	return nil
}

// checkWebUI refuses an address from which no link can be made.
func checkWebUI(address string) error {
	u, err := url.Parse(address)
	if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("TEMPORAL_UI_URL: must be an http or https URL")
	}
	return nil
}

// parse reads the variables of a struct. Its error names the first variable that is wrong, on one line, without its value.
func parse(c any) error {
	err := env.Parse(c)
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	for _, e := range all.Errors {
		var unset env.EnvVarIsNotSetError
		var empty env.EmptyEnvVarError
		var malformed env.ParseError
		switch {
		case errors.As(e, &unset):
			return fmt.Errorf("%s: is required and not set (%s)", unset.Key, describe(c, unset.Key))
		case errors.As(e, &empty):
			return fmt.Errorf("%s: is required and empty (%s)", empty.Key, describe(c, empty.Key))
		case errors.As(e, &malformed):
			key := variable(c, malformed.Name)
			return fmt.Errorf("%s: is not %s (%s)", key, article(malformed.Type), describe(c, key))
		}
	}
	return errors.New("the environment cannot be read")
}

func article(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		if t == reflect.TypeFor[time.Duration]() {
			return "a duration such as 1s or 500ms"
		}
		return "a whole number"
	}
	return "readable"
}

// Variable is one line of the table of variables.
type Variable struct {
	Name, Default, Description string
	Required                   bool
}

// Shown is the default as the table shows it.
func (v Variable) Shown() string {
	switch {
	case v.Required:
		return "required"
	case v.Default == "":
		return ""
	}
	return "`" + v.Default + "`"
}

// Variables are all variables of a configuration struct, in its order.
func Variables(c any) []Variable {
	var vs []Variable
	t := reflect.Indirect(reflect.ValueOf(c)).Type()
	for _, f := range reflect.VisibleFields(t) {
		if tag, ok := f.Tag.Lookup("env"); ok {
			name, options, _ := strings.Cut(tag, ",")
			vs = append(vs, Variable{
				Name:        name,
				Default:     f.Tag.Get("envDefault"),
				Description: f.Tag.Get("desc"),
				Required:    strings.Contains(options, "required"),
			})
		}
	}
	return vs
}

func describe(c any, variable string) string {
	for _, v := range Variables(c) {
		if v.Name == variable {
			return v.Description
		}
	}
	return ""
}

// variable is the name of the variable behind a struct's field.
func variable(c any, field string) string {
	t := reflect.Indirect(reflect.ValueOf(c)).Type()
	f, _ := t.FieldByName(field)
	name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
	return name
}
