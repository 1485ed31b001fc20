package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// ErrNoServer reports that no server binary was found. The text names the packages to install.
var ErrNoServer = errors.New("no MySQL-compatible server found: install mariadb-server or mysql-server, or name one with DBTEST_SERVER")

// The families differ in how a data folder is initialised and in a few options.
const (
	familyMySQL   = "mysql"
	familyMariaDB = "mariadb"
)

// engine is a server binary with its options.
type engine struct {
	path    string
	prefix  []string // placed before path, such as a dynamic loader
	version string   // output of --version
	family  string
}

// Find returns the path of the server binary that Start would use, or ErrNoServer.
func Find() (string, error) {
	if path := os.Getenv("DBTEST_SERVER"); path != "" {
		return path, nil
	}
	for _, name := range []string{"mariadbd", "mysqld"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		// Packages install servers here; these folders are not on every user's PATH.
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrNoServer
}

// findEngine asks the binary for its version, because its name proves nothing: mysqld is often a link to MariaDB.
func findEngine(ctx context.Context, c Config) (engine, error) {
	e := engine{path: c.Server, prefix: c.ServerPrefix}
	if e.path == "" {
		path, err := Find()
		if err != nil {
			return e, err
		}
		e.path = path
		if os.Getenv("DBTEST_SERVER") != "" {
			e.prefix = strings.Fields(os.Getenv("DBTEST_SERVER_PREFIX"))
		}
	}
	out, err := e.command(ctx, "--no-defaults", "--version").Output()
	if err != nil {
		return e, fmt.Errorf("ask %s for its version: %w", e.path, err)
	}
	e.version = strings.TrimSpace(string(out))
	e.family = familyMySQL
	if strings.Contains(e.version, "MariaDB") {
		e.family = familyMariaDB
	}
	return e, nil
}

func (e engine) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append([]string{}, e.prefix...), e.path)
	line = append(line, args...)
	return exec.CommandContext(ctx, line[0], line[1:]...)
}

// key names the template of this exact server.
func (e engine) key() string {
	sum := sha256.Sum256([]byte(e.path + e.version))
	return e.family + "-" + hex.EncodeToString(sum[:8])
}

// common returns the options for both initialising and running. --no-defaults excludes the machine's own configuration, and
// has to come first. The server has a temporary folder of its own, because a starting server deletes the leftovers that it
// finds in its folder.
func (e engine) common(data, tmp string) []string {
	args := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + tmp}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // a server started as root refuses to run as root without this option
	}
	base := filepath.Dir(filepath.Dir(e.path))
	if _, err := os.Stat(filepath.Join(base, "share", "mysql")); err == nil && e.family == familyMySQL {
		args = append(args, "--basedir="+base) // unpacked anywhere, it would look for its messages in /usr
	}
	return args
}

// initialise fills an empty data folder. Both families then have a root without a password, reachable only through
// the socket.
func (e engine) initialise(ctx context.Context, data string) error {
	tmp, err := os.MkdirTemp("", "relay-db-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	cmd, err := e.initCommand(ctx, data, tmp)
	if err != nil {
		return err
	}
	cmd.Dir = filepath.Dir(data)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initialise a data folder with %s: %w\n%s", cmd.Path, err, tail(out))
	}
	return nil
}

func (e engine) initCommand(ctx context.Context, data, tmp string) (*exec.Cmd, error) {
	if e.family == familyMySQL {
		args := append(e.common(data, tmp), "--initialize-insecure", "--secure-file-priv=NULL",
			"--loose-innodb-redo-log-capacity=16M", "--log-error-verbosity=1")
		return e.command(ctx, args...), nil
	}
	script, err := installScript(e.path)
	if err != nil {
		return nil, err
	}
	args := append(e.common(data, tmp), "--auth-root-authentication-method=normal", "--skip-test-db",
		"--skip-name-resolve", "--innodb-log-file-size=16M")
	return exec.CommandContext(ctx, script, args...), nil
}

// installScript finds MariaDB's initialising script: beside the server, in the bin folder beside the server's, or on the
// PATH.
func installScript(server string) (string, error) {
	if real, err := filepath.EvalSymlinks(server); err == nil {
		server = real
	}
	dir := filepath.Dir(server)
	names := []string{"mariadb-install-db", "mysql_install_db"}
	for _, name := range names {
		for _, candidate := range []string{filepath.Join(dir, name), filepath.Join(dir, "..", "bin", name), name} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s has no %s beside it or on the PATH: install it", server, names[0])
}

// currentUser is for messages and folder names only.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Uid != "" {
		return u.Uid
	}
	return "unknown"
}

// tail returns the end of a log, which holds the reason.
func tail(log []byte) string {
	const most = 2000
	if len(log) > most {
		log = log[len(log)-most:]
	}
	return strings.TrimSpace(string(log))
}
