package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// databaseName is the database on the system's own server.
const databaseName = "relay"

// Config configures a System. Programs and Dir are required.
type Config struct {
	Programs Programs
	Dir      string // holds all files; created if missing, else reused

	Database    dbtest.Config // Dir is set
	DatabaseURL string        // use this database instead of a server of the system
	// BoundUser makes the relays use a database user to whom read_only applies. That user then also creates the tables.
	BoundUser bool
	Temporal  TemporalOptions // Dir is set
	Sandbox   SandboxOptions  // Dir is set

	Username, Password string   // the relay's login
	EncryptionKey      string   // default: a new one
	Env                []string // further variables of the relays; they take precedence
	BaseEnv            []string // the variables that every relay inherits; default PlainEnv
}

// System is the migrated database, Temporal and the sandbox, and the relays that were started on them.
type System struct {
	Database *dbtest.Server // nil with a DatabaseURL
	Temporal *Temporal
	Sandbox  *Sandbox
	Store    *db.Store // for setting up storefronts and for reading events
	// Migrations is the output of "relay migrate up".
	Migrations string

	config Config

	mu     sync.Mutex
	relays []*Relay
}

// Start starts all parts at once and migrates the database.
func Start(ctx context.Context, c Config) (*System, error) {
	s, err := newSystem(c)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func newSystem(c Config) (*System, error) {
	if c.Dir == "" || len(c.Programs.Dev) == 0 || len(c.Programs.Relay) == 0 {
		return nil, errors.New("a system needs a folder and its programs")
	}
	var err error
	if c.EncryptionKey == "" {
		if c.EncryptionKey, err = db.GenerateKey(); err != nil {
			return nil, err
		}
	}
	c.Database.Dir = filepath.Join(c.Dir, "mysql")
	c.Temporal.Dir = filepath.Join(c.Dir, "temporal")
	c.Sandbox.Dir = c.Dir
	if c.BaseEnv == nil {
		c.BaseEnv = PlainEnv()
	}
	return &System{
		config:   c,
		Temporal: NewTemporal(c.Programs, c.Temporal),
		Sandbox:  NewSandbox(c.Programs, c.Sandbox),
	}, nil
}

func (s *System) start(ctx context.Context) error {
	steps := []func(context.Context) error{s.startDatabase, s.Temporal.Start, s.Sandbox.Start}
	errs := make([]error, len(steps))
	var all sync.WaitGroup
	for i, step := range steps {
		all.Go(func() { errs[i] = step(ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := s.openStore(); err != nil {
		return err
	}
	printed, err := RunRelay(ctx, s.config.Programs, s.Env(), "migrate", "up")
	s.Migrations = printed
	return err
}

func (s *System) startDatabase(ctx context.Context) error {
	if s.config.DatabaseURL != "" {
		return nil
	}
	server, err := dbtest.Start(ctx, s.config.Database)
	if err != nil {
		return err
	}
	s.Database = server
	s.config.DatabaseURL = server.DSN(databaseName)
	if err := server.CreateDatabase(ctx, databaseName); err != nil || !s.config.BoundUser {
		return err
	}
	const user = "bound"
	config, err := db.ParseURL(s.config.DatabaseURL)
	if err != nil {
		return err
	}
	config.User, config.Passwd = user, user
	s.config.DatabaseURL = config.FormatDSN()
	return server.CreateUser(ctx, user, user, databaseName)
}

func (s *System) openStore() error {
	keys, err := db.NewKeys(s.config.EncryptionKey)
	if err != nil {
		return err
	}
	s.Store, err = db.Open(db.Config{URL: s.config.DatabaseURL, Keys: keys})
	return err
}

// DatabaseURL returns the relays' DATABASE_URL.
func (s *System) DatabaseURL() string { return s.config.DatabaseURL }

// Env returns the environment of the relays, without LISTEN_ADDR.
func (s *System) Env() []string {
	ours := []string{
		"DATABASE_URL=" + s.config.DatabaseURL,
		"BASIC_AUTH_USERNAME=" + s.config.Username,
		"BASIC_AUTH_PASSWORD=" + s.config.Password,
		"ENCRYPTION_KEY=" + s.config.EncryptionKey,
		"ALLOWED_PRIVATE_NETS=127.0.0.0/8", // for the sandbox
		"TEMPORAL_ADDRESS=" + s.Temporal.Address(),
		"TEMPORAL_NAMESPACE=default",
		"TEMPORAL_UI_URL=" + s.Temporal.UIURL(),
	}
	return slices.Concat(s.config.BaseEnv, ours, s.config.Env)
}

// StartRelay starts a relay on the system. o.Env adds to the system's environment and takes precedence. Any number can run.
func (s *System) StartRelay(ctx context.Context, o RelayOptions) (*Relay, error) {
	if o.Dir == "" {
		o.Dir = s.config.Dir
	}
	o.Env = append(s.Env(), o.Env...)
	r, err := NewRelay(ctx, s.config.Programs, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.relays = append(s.relays, r)
	s.mu.Unlock()
	return r, r.Start(ctx)
}

// Stop stops all parts in an order that loses nothing: relays, Temporal, sandbox, database. Each has a time limit,
// after which it is killed, and Stop returns an error.
func (s *System) Stop() error {
	s.mu.Lock()
	relays := slices.Clone(s.relays)
	s.mu.Unlock()
	errs := make([]error, len(relays))
	var all sync.WaitGroup
	for i, r := range relays {
		all.Go(func() { errs[i] = r.Stop() })
	}
	all.Wait()
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	errs = append(errs, s.Temporal.Stop(), s.Sandbox.Stop())
	if s.Database != nil {
		errs = append(errs, s.Database.Stop())
	}
	return errors.Join(errs...)
}

// AddStorefront creates an active storefront whose GA4 container is the sandbox, at /<code>/mp/collect, so that tests that
// share a sandbox can script their own. It returns the storefront's id.
func (s *System) AddStorefront(ctx context.Context, code string) (int64, error) {
	id, err := seed.On(s.Store).CreateStorefront(ctx, relay.Storefront{Code: code, Name: code, Active: true})
	if err != nil {
		return 0, err
	}
	return id, seed.On(s.Store).PutSGTM(ctx, id, ops.SGTMConfig{
		URL:           s.Sandbox.BaseURL + "/" + code,
		MeasurementID: "G-" + strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(code)),
		APISecret:     relay.NewSecret("secret-of-" + code),
		Active:        true,
	})
}

// AddPlatform creates an active credential of a storefront at one of the sandbox's platforms (see sandbox.Platforms), which
// then receives its events at /<prefix>/platform/<platform>.
func (s *System) AddPlatform(ctx context.Context, storefrontID int64, prefix, platform string) error {
	if !slices.Contains(sandbox.Platforms(), platform) {
		return fmt.Errorf("platform %q: the development relay has only %s", platform, strings.Join(sandbox.Platforms(), ", "))
	}
	err := seed.On(s.Store).AddPlatform(ctx, ops.Platform{
		Code: platform, Name: "Sandbox", Vendor: "Sandbox", Category: "test", ServerSide: true,
		Fields: []ops.CredentialField{{Field: "base_url"}, {Field: "access_token", Secret: true}},
	})
	if err != nil {
		return err
	}
	return seed.On(s.Store).PutCredential(ctx, storefrontID, ops.Credential{
		Platform: platform, Active: true,
		Fields: map[string]relay.Secret{
			"base_url":     relay.NewSecret(s.Sandbox.BaseURL + "/" + prefix),
			"access_token": relay.NewSecret("token-of-" + platform),
		},
	})
}
