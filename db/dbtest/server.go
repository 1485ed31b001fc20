package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"relay/internal/proc"
)

const (
	host = "127.0.0.1"
	// stopGrace bounds a clean shutdown; InnoDB writes its pages back within it.
	stopGrace = 20 * time.Second
	// longestSocket is the size of the smallest sockaddr_un of the supported systems, less a margin.
	longestSocket = 100
)

// Config configures a server. Only Dir is required.
type Config struct {
	Dir      string // holds data, log and socket; created if missing, otherwise reused
	Port     int    // 0 selects a free port, which Restart keeps
	CacheDir string // holds the initialised template; default: the user's cache folder
	User     string // default "relay"; has all rights
	Password string // default "relay"

	// Durable syncs every commit to the disk, as in production. Without it a commit survives a kill of the server, but not a
	// power failure: sufficient for tests, and several times faster.
	Durable bool

	Server       string   // server binary; default: DBTEST_SERVER, else mariadbd or mysqld
	ServerPrefix []string // put before it; default: DBTEST_SERVER_PREFIX, split at spaces
	Args         []string // further server options; they come last and override others
}

// Server is one private server. Its methods may be called from any goroutine, but only one of Stop, Kill, Restart at a time.
type Server struct {
	config Config
	engine engine

	mu      sync.Mutex
	port    int
	process *proc.Process
	lock    *os.File
	runDir  string // holds the socket
}

// Start starts a server and returns when it responds. An orphan of an earlier run on the same folder is ended first; a
// folder in use by a running process is an error.
func Start(ctx context.Context, c Config) (*Server, error) {
	s, err := newServer(ctx, c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s, s.start(ctx)
}

func newServer(ctx context.Context, c Config) (*Server, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil || c.Dir == "" {
		return nil, fmt.Errorf("database folder %q: %w", c.Dir, errors.Join(err, os.ErrInvalid))
	}
	c.Dir = dir
	if c.CacheDir == "" {
		c.CacheDir = defaultCache()
	}
	if c.CacheDir, err = filepath.Abs(c.CacheDir); err != nil {
		return nil, err
	}
	if c.User == "" {
		c.User = "relay"
	}
	if c.Password == "" {
		c.Password = "relay"
	}
	e, err := findEngine(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Server{config: c, engine: e, port: c.Port}, os.MkdirAll(dir, 0o700)
}

// Port is the TCP port on 127.0.0.1.
func (s *Server) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}

// Version returns the version that the server binary prints.
func (s *Server) Version() string { return s.engine.version }

// Pid returns the server's process id, 0 if it is stopped.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid()
}

// Done is closed when the running server ends, for any reason.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		ended := make(chan struct{})
		close(ended)
		return ended
	}
	return s.process.Done()
}

// LogFile returns the path of the server's error log.
func (s *Server) LogFile() string { return filepath.Join(s.config.Dir, "error.log") }

// DSN returns the Go driver's data source name of a database on this server; "" names none.
func (s *Server) DSN(database string) string {
	return s.driverConfig(s.Port(), database).FormatDSN()
}

func (s *Server) driverConfig(port int, database string) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Passwd = s.config.User, s.config.Password
	c.Net, c.Addr = "tcp", net.JoinHostPort(host, strconv.Itoa(port))
	c.DBName = database
	return c
}

// CreateDatabase creates an empty utf8mb4 database unless it exists.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(name)+" CHARACTER SET utf8mb4")
}

// CreateUser creates a user with all rights on one database and none on the server: read_only applies to it, unlike to
// Config.User.
func (s *Server) CreateUser(ctx context.Context, name, password, database string) error {
	account := quoteText(name) + "@" + quoteText(host)
	for _, statement := range []string{
		"CREATE USER IF NOT EXISTS " + account + " IDENTIFIED BY " + quoteText(password),
		"GRANT ALL PRIVILEGES ON `" + database + "`.* TO " + account,
	} {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// SetReadOnly switches the server between primary and replica, as a failover does: a read-only server refuses writes and
// keeps its connections. After a restart it is a primary again.
func (s *Server) SetReadOnly(ctx context.Context, on bool) error {
	return s.exec(ctx, fmt.Sprintf("SET GLOBAL read_only = %t", on))
}

func (s *Server) exec(ctx context.Context, statement string) error {
	db, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// Stop shuts the server down cleanly. Stopping a stopped server is not an error.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	err := s.process.Stop(stopGrace)
	s.release()
	return err
}

// Kill ends the server with SIGKILL, as a crash would.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	s.process.Kill()
	s.release()
}

// Restart starts a stopped, killed or crashed server again, on the same folder and port.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil && !errors.Is(err, proc.ErrKilled) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start(ctx)
}

// acquire takes the folder for this process.
func (s *Server) acquire() error {
	lock, err := proc.Lock(filepath.Join(s.config.Dir, "lock"))
	if errors.Is(err, proc.ErrLocked) {
		return fmt.Errorf("database folder %s: %w", s.config.Dir, err)
	}
	s.lock = lock
	return err
}

// release clears the state of the ended process and unlocks the folder.
func (s *Server) release() {
	s.process = nil
	_ = os.Remove(s.pidFile())
	if s.runDir != s.config.Dir {
		_ = os.RemoveAll(s.runDir)
	}
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
