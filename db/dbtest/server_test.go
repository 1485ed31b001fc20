package dbtest_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/db/dbtest"
)

// helperDir makes the test binary act as a program that starts a server on that folder and waits to be killed.
const helperDir = "DBTEST_TEST_HELPER_DIR"

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // servers are killed under open connections here
	if dir := os.Getenv(helperDir); dir != "" {
		serveUntilKilled(dir)
	}
	dbtest.Main(m)
}

func serveUntilKilled(dir string) {
	s, err := dbtest.Start(context.Background(), dbtest.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Pid())
	select {}
}

func TestNewIsAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	var first, name string
	t.Run("inside", func(t *testing.T) {
		first = dbtest.New(t)
		one, two := open(t, first), open(t, dbtest.New(t))
		must(t, one, "CREATE TABLE t (v VARCHAR(10))")
		must(t, one, "INSERT INTO t VALUES ('☃😀')")
		must(t, two, "CREATE TABLE t (v INT)")
		require.Equal(t, "☃😀", scan(t, one, "SELECT v FROM t"))
		require.Equal(t, "utf8mb4", scan(t, one, "SELECT @@character_set_database"))
		name = scan(t, one, "SELECT DATABASE()")
	})
	server := open(t, dbtest.Shared(t).DSN(""))
	require.Equal(t, "0", scan(t, server, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '"+name+"'"))
}

func TestOnlyThePasswordOpensTheServer(t *testing.T) {
	t.Parallel()
	port := dbtest.Shared(t).Port()
	for _, login := range []string{"root", "root:root", "relay", "relay:wrong", ""} {
		db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(127.0.0.1:%d)/", login, port))
		require.NoError(t, err)
		require.Error(t, db.PingContext(t.Context()), login)
		require.NoError(t, db.Close())
	}
}

func TestCommittedRowsSurviveKillStopAndRestart(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{true, false} {
		t.Run("durable "+strconv.FormatBool(durable), func(t *testing.T) {
			t.Parallel()
			s := start(t, dbtest.Config{Dir: t.TempDir(), Durable: durable, Password: `p'\x`})
			port := s.Port()
			require.NoError(t, s.CreateDatabase(t.Context(), "relay"))
			db := open(t, s.DSN("relay"))
			must(t, db, "CREATE TABLE t (v INT)")
			must(t, db, "INSERT INTO t VALUES (7)")

			s.Kill()
			require.Error(t, db.PingContext(t.Context()))
			require.NoError(t, s.Restart(t.Context()))
			require.Equal(t, port, s.Port())
			require.Equal(t, "7", scan(t, db, "SELECT v FROM t"))

			require.NoError(t, s.Stop())
			require.NoError(t, s.Stop(), "stopping twice is not an error")
			require.NoError(t, s.Restart(t.Context()))
			require.Equal(t, "7", scan(t, db, "SELECT v FROM t"))
			require.Equal(t, map[bool]string{true: "1", false: "2"}[durable], scan(t, db, "SELECT @@innodb_flush_log_at_trx_commit"))
		})
	}
}

func TestAFolderHasOnlyOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dbtest.Config{Dir: dir})
	_, err := dbtest.Start(t.Context(), dbtest.Config{Dir: dir})
	require.ErrorContains(t, err, "in use by another process")
	require.NoError(t, open(t, s.DSN("")).PingContext(t.Context()), "the first one continues")
}

func TestATakenPortIsAnErrorWithTheServersMessage(t *testing.T) {
	t.Parallel()
	port := dbtest.Shared(t).Port()
	_, err := dbtest.Start(t.Context(), dbtest.Config{Dir: t.TempDir(), Port: port})
	require.ErrorContains(t, err, "ended at its start")
	require.ErrorContains(t, err, strconv.Itoa(port))
}

func TestDataOfTheOtherFamilyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "family"), []byte("other"), 0o600))
	_, err := dbtest.Start(t.Context(), dbtest.Config{Dir: dir})
	require.ErrorContains(t, err, "was made by other")
}

func TestASocketWorksUnderALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	s := start(t, dbtest.Config{Dir: dir})
	require.NoError(t, open(t, s.DSN("")).PingContext(t.Context()))
}

func TestNoServerSurvivesAKilledParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a program that does not watch its parent")
	}
	dir := t.TempDir()
	parent, pid := startHelper(t, dir)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	requireGone(t, pid)
	// As far as MySQL's socket lock can show, the server's pid now belongs to another program.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mysql.sock.lock"), []byte(strconv.Itoa(os.Getppid())+"\n"), 0o600))
	start(t, dbtest.Config{Dir: dir})
}

func TestAnOrphanIsEndedBeforeTheNextStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dbtest.Config{Dir: dir})
	line, err := exec.CommandContext(t.Context(), "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(s.Pid())).Output()
	require.NoError(t, err)
	require.NoError(t, s.Stop())
	// The same server on the same folder, without a parent: as a parent leaves it that dies on a system without a death
	// signal.
	args := strings.Fields(string(line))
	orphan := exec.CommandContext(context.Background(), args[0], args[1:]...)
	require.NoError(t, orphan.Start())
	go func() { _ = orphan.Wait() }()
	pidFile := filepath.Join(dir, "server.pid")
	require.NoError(t, os.WriteFile(pidFile, []byte(strconv.Itoa(orphan.Process.Pid)), 0o600))
	require.Eventually(t, func() bool { return open(t, s.DSN("")).PingContext(t.Context()) == nil }, time.Minute, 20*time.Millisecond)

	again := start(t, dbtest.Config{Dir: dir})
	require.NotEqual(t, orphan.Process.Pid, again.Pid())
	requireGone(t, orphan.Process.Pid)
}

func TestAProcessOfAnotherProgramIsNotKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stranger := exec.CommandContext(t.Context(), "sleep", "60")
	require.NoError(t, stranger.Start())
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "server.pid"), []byte(strconv.Itoa(stranger.Process.Pid)), 0o600))
	start(t, dbtest.Config{Dir: dir})
	require.NoError(t, stranger.Process.Signal(syscall.Signal(0)))
}

func start(t *testing.T, c dbtest.Config) *dbtest.Server {
	t.Helper()
	s, err := dbtest.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

// startHelper runs this binary as a parent of a server, and returns it with the server's process id.
func startHelper(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	return cmd, pid
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	gone := func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) }
	require.Eventually(t, gone, time.Minute, 10*time.Millisecond, "process %d still runs", pid)
}

// zombie reports whether a process has ended and has not been reaped yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func scan(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var v string
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&v))
	return v
}
