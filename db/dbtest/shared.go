package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"relay/internal/proc"
)

// shared is the test process's one server.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs a package's tests and then stops the shared server and removes its data:
//
//	func TestMain(m *testing.M) { dbtest.Main(m) }
//
// A package that forgets it leaks nothing for long: the server ends with the process, and the next run removes its data.
func Main(m *testing.M) {
	code := m.Run()
	if s := shared.server; s != nil {
		s.Kill() // the data is not read again
		_ = os.RemoveAll(s.config.Dir)
	}
	os.Exit(code)
}

// New returns the DSN of an empty database for one test, dropped when the test ends. The server is started on first use and
// shared by the process's tests, which may run in parallel.
func New(tb testing.TB) string {
	tb.Helper()
	s := Shared(tb)
	name := "test_" + randomName()
	if err := s.CreateDatabase(tb.Context(), name); err != nil {
		tb.Fatalf("create a test database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(name)); err != nil {
			tb.Logf("drop %s: %v", name, err)
		}
	})
	return s.DSN(name)
}

// Shared returns the test process's server, for a test that needs more than a database. Stopping it affects all tests: a
// test that kills servers starts its own.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = startShared(context.Background()) })
	if shared.err != nil {
		tb.Fatalf("start a database for the tests: %v", shared.err)
	}
	return shared.server
}

func startShared(ctx context.Context) (*Server, error) {
	root := filepath.Join(os.TempDir(), "relay-dbtest-"+currentUser())
	s, err := reserve(ctx, root)
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// reserve creates and locks a folder for a new server and removes the folders of killed processes. One process does so at a
// time: a folder that is not locked yet would look abandoned.
func reserve(ctx context.Context, root string) (*Server, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	lock, err := proc.WaitLock(filepath.Join(root, "lock"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Close() }()
	sweep(ctx, root)
	dir, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, err
	}
	s, err := newServer(ctx, Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	return s, s.acquire()
}

// sweep removes the folders of ended processes. A folder that cannot be removed is left for the next run.
func sweep(ctx context.Context, root string) {
	dirs, _ := filepath.Glob(filepath.Join(root, "run-*"))
	for _, dir := range dirs {
		lock, err := proc.Lock(filepath.Join(dir, "lock"))
		if err != nil {
			continue
		}
		if endOrphan(ctx, filepath.Join(dir, "server.pid"), filepath.Join(dir, "data")) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

func randomName() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
