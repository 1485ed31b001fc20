package temporal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	schema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long a finished workflow is shown in the Web UI.
const retention = 30 * 24 * time.Hour

// Names of the two data stores in the server's configuration.
const (
	mainStore       = "main"
	visibilityStore = "visibility"
)

// keptIndexes are those that the Web UI's own filters and the relay's search attributes use. The other fifty or so cost
// a third of the server's work without a use. The full-text triggers stay: without them every filter on a keyword list
// silently finds nothing.
var keptIndexes = []string{
	"default_idx", "by_workflow_id", "by_status", "by_workflow_type", "by_execution_time",
	"by_keyword_01", "by_keyword_02", "by_keyword_03", "by_keyword_04",
}

// store is the pair of SQLite files.
type store struct{ main, visibility *config.SQL }

// openStore returns the files of dir, with their tables. SQLite cannot create all tables at once, so a marker
// distinguishes complete files from those of an interrupted start, which hold no data yet.
func openStore(dir string) (store, error) {
	s := store{
		main:       sqlite3(filepath.Join(dir, "temporal.db"), "2"),   // FULL: synced at each commit
		visibility: sqlite3(filepath.Join(dir, "visibility.db"), "0"), // OFF: it may be lost in a power failure
	}
	marker := filepath.Join(dir, "complete")
	if _, err := os.Stat(marker); err == nil {
		return s, nil
	}
	leftovers, err := filepath.Glob(filepath.Join(globEscape(dir), "*.db*"))
	if err != nil {
		return s, err
	}
	for _, file := range leftovers {
		if err := os.Remove(file); err != nil {
			return s, err
		}
	}
	if err := s.create(); err != nil {
		return s, fmt.Errorf("create temporal's tables: %w", err)
	}
	return s, os.WriteFile(marker, nil, 0o600)
}

// globEscape keeps the characters of a path from being read as a pattern.
func globEscape(path string) string {
	var escaped []rune
	for _, r := range path {
		if slices.Contains([]rune(`*?[\`), r) {
			escaped = append(escaped, '\\')
		}
		escaped = append(escaped, r)
	}
	return string(escaped)
}

// sqlite3 names a file in write-ahead mode. The name is part of a URI, so it is escaped.
func sqlite3(path, synchronous string) *config.SQL {
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: (&url.URL{Path: path}).EscapedPath(),
		ConnectAttributes: map[string]string{
			"mode": "rwc", "journal_mode": "wal", "synchronous": synchronous, "busy_timeout": "10000",
		},
	}
}

func (s store) create() error {
	for _, file := range []*config.SQL{s.main, s.visibility} {
		if err := schema.SetupSchema(file); err != nil {
			return err
		}
	}
	return dropIndexes(context.Background(), s.visibility.DatabaseName)
}

func dropIndexes(ctx context.Context, file string) (err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout=10000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	names, err := indexes(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.Contains(keptIndexes, name) {
			continue
		}
		if _, err := db.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return err
		}
	}
	return nil
}

func indexes(ctx context.Context, db *sql.DB) ([]string, error) {
	const query = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL"
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// ensureNamespace creates the namespace before the server starts, so that its caches have it from the first call.
func (s store) ensureNamespace(name string) error {
	namespace, err := schema.NewNamespaceConfig(clusterName, name, false, nil)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	return schema.CreateNamespaces(s.main, namespace)
}

func (s store) persistence(faultRate float64) config.Persistence {
	main := config.DataStore{SQL: s.main}
	if faultRate > 0 {
		main.FaultInjection = faults(faultRate)
	}
	return config.Persistence{
		DefaultStore:     mainStore,
		VisibilityStore:  visibilityStore,
		NumHistoryShards: 1,
		DataStores:       map[string]config.DataStore{mainStore: main, visibilityStore: {SQL: s.visibility}},
	}
}

// faults makes that share of a workflow's storage calls fail: writes half before and half after they
// were executed, which a caller cannot distinguish, and reads and task queues with "unavailable".
func faults(rate float64) *config.FaultInjection {
	fi := &config.FaultInjection{}
	for _, write := range []string{"CreateWorkflowExecution", "UpdateWorkflowExecution", "AppendHistoryNodes"} {
		fi.WithError(config.ExecutionStoreName, write, "Timeout", rate/2)
		fi.WithError(config.ExecutionStoreName, write, "ExecuteAndTimeout", rate/2)
	}
	for _, read := range []string{"GetWorkflowExecution", "GetCurrentExecution", "ReadHistoryBranch"} {
		fi.WithError(config.ExecutionStoreName, read, "Unavailable", rate)
	}
	for _, task := range []string{"CreateTasks", "GetTasks"} {
		fi.WithError(config.TaskStoreName, task, "Unavailable", rate)
	}
	return fi
}
