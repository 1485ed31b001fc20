package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"relay/internal/proc"
)

// startBound covers crash recovery of a large folder on a slow disk; a normal start takes well under a second.
const startBound = 60 * time.Second

// start is called with mu held, or before the server is shared.
func (s *Server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	if s.lock == nil {
		if err := s.acquire(); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		s.release()
		return err
	}
	err := s.launch(ctx)
	if err != nil {
		s.release()
	}
	return err
}

// prepare ensures a data folder that no process uses.
func (s *Server) prepare(ctx context.Context) error {
	if err := endOrphan(ctx, s.pidFile(), s.dataDir()); err != nil {
		return err
	}
	if err := s.chooseRunDir(); err != nil {
		return err
	}
	if err := s.removeLeftovers(); err != nil {
		return err
	}
	if err := s.checkFamily(); err != nil {
		return err
	}
	if _, err := os.Stat(s.dataDir()); err == nil {
		return nil
	}
	return newDataDir(ctx, s.engine, s.config.CacheDir, s.dataDir())
}

// removeLeftovers removes the files that a killed server left beside its socket. MySQL refuses to start over a socket lock
// whose pid exists, which may be another program's by then; the folder's own lock has already shown that no server runs
// here.
func (s *Server) removeLeftovers() error {
	for _, name := range []string{s.socket(), s.socket() + ".lock", s.serverPidFile()} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// checkFamily refuses a folder of the other family: a server would damage it or fail with a misleading error.
func (s *Server) checkFamily() error {
	file := filepath.Join(s.config.Dir, "family")
	made, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(file, []byte(s.engine.family), 0o600)
	}
	if err == nil && string(made) != s.engine.family {
		return fmt.Errorf("the data in %s was made by %s, but %s is %s: remove the folder or name the other server with DBTEST_SERVER",
			s.config.Dir, made, s.engine.path, s.engine.family)
	}
	return err
}

// chooseRunDir places the socket in the server's own folder unless that path is too long for a socket.
func (s *Server) chooseRunDir() error {
	s.runDir = s.config.Dir
	if len(s.socket()) <= longestSocket {
		return nil
	}
	dir, err := os.MkdirTemp("", "relay-db-")
	s.runDir = dir
	return err
}

func (s *Server) dataDir() string { return filepath.Join(s.config.Dir, "data") }
func (s *Server) tmpDir() string  { return filepath.Join(s.config.Dir, "tmp") }
func (s *Server) socket() string  { return filepath.Join(s.runDir, "mysql.sock") }

// pidFile is written by this package before the server could write its own, which identifies the server.
func (s *Server) pidFile() string       { return filepath.Join(s.config.Dir, "server.pid") }
func (s *Server) serverPidFile() string { return filepath.Join(s.runDir, "mysqld.pid") }

// launch runs the server and waits for it. Another program may take a selected free port before the server binds it; then
// launch selects another.
func (s *Server) launch(ctx context.Context) error {
	chosen := s.port == 0
	var err error
	for range 3 {
		if chosen {
			if s.port, err = proc.FreePort(ctx); err != nil {
				return err
			}
		}
		if err = s.run(ctx); err == nil || !chosen || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Server) run(ctx context.Context) error {
	if err := s.writeInitFile(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.tmpDir(), 0o700); err != nil {
		return err
	}
	cmd := s.engine.command(context.WithoutCancel(ctx), s.arguments()...)
	cmd.Dir = s.config.Dir
	process, err := proc.Start(cmd)
	if err != nil {
		return err
	}
	err = os.WriteFile(s.pidFile(), []byte(strconv.Itoa(process.Pid())), 0o600)
	if err == nil {
		err = s.waitReady(ctx, process)
	}
	if err != nil {
		process.Kill()
		return err
	}
	s.process = process
	return nil
}

func (s *Server) arguments() []string {
	args := append(s.engine.common(s.dataDir(), s.tmpDir()),
		"--bind-address="+host, "--port="+strconv.Itoa(s.port),
		"--socket="+s.socket(),
		"--pid-file="+s.serverPidFile(),
		"--log-error="+s.LogFile(), "--init-file="+s.initFile(),
		"--skip-name-resolve", "--skip-log-bin", "--max-connections=500",
		"--character-set-server=utf8mb4", "--performance-schema=OFF",
		"--innodb-buffer-pool-size=256M",
	)
	if s.engine.family == familyMySQL {
		args = append(args, "--mysqlx=OFF", "--secure-file-priv=NULL")
	}
	args = append(args, s.durability()...)
	return append(args, s.config.Args...)
}

func (s *Server) durability() []string {
	size := "--innodb-log-file-size="
	if s.engine.family == familyMySQL {
		size = "--loose-innodb-redo-log-capacity="
	}
	if s.config.Durable {
		return []string{"--innodb-flush-log-at-trx-commit=1", size + "256M"}
	}
	// The size of the template's log, so that a start does not rewrite it.
	return []string{"--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=OFF", "--loose-innodb-flush-method=nosync", "--loose-sync-frm=OFF", size + "16M"}
}

func (s *Server) initFile() string { return filepath.Join(s.config.Dir, "init.sql") }

// writeInitFile writes the statements that the server runs at each start: they create the one user that may connect through
// TCP. The root user of the initialisation can only be reached through the socket, whose folder is private.
func (s *Server) writeInitFile() error {
	account := quoteText(s.config.User) + "@" + quoteText(host)
	password := " IDENTIFIED BY " + quoteText(s.config.Password)
	statements := []string{
		"DROP USER IF EXISTS 'root'@'127.0.0.1';",
		"CREATE USER IF NOT EXISTS " + account + password + ";",
		"ALTER USER " + account + password + ";",
		"GRANT ALL PRIVILEGES ON *.* TO " + account + " WITH GRANT OPTION;",
	}
	return os.WriteFile(s.initFile(), []byte(strings.Join(statements, "\n")+"\n"), 0o600)
}

// waitReady waits until the server responds to a ping, ends, or the time is up.
func (s *Server) waitReady(ctx context.Context, process *proc.Process) error {
	c := s.driverConfig(s.port, "")
	c.Logger = &mysql.NopLogger{} // refused connections are expected here
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	for {
		err := s.checkIdentity(ctx, db)
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("the database server ended at its start (%w)\n%s", process.Err(), s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("the database server did not respond in time: %w\n%s", err, s.logTail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// checkIdentity checks which server responds: if another such server, with the same login, has the port, a ping would succeed.
func (s *Server) checkIdentity(ctx context.Context, db *sql.DB) error {
	var pidFile string
	if err := db.QueryRowContext(ctx, "SELECT @@pid_file").Scan(&pidFile); err != nil {
		return err
	}
	if pidFile != s.serverPidFile() {
		return fmt.Errorf("port %d is taken by another server (%s)", s.port, pidFile)
	}
	return nil
}

func (s *Server) logTail() string {
	log, err := os.ReadFile(s.LogFile())
	if err != nil {
		return err.Error()
	}
	return tail(log)
}
