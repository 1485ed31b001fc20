package db

import (
	"context"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// MigrationStatements returns the statements of each migration, by file.
func MigrationStatements(t *testing.T) map[string][]string {
	t.Helper()
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	require.NoError(t, err)
	of := map[string][]string{}
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		require.NoError(t, err)
		of[file] = slices.Collect(statements(text))
	}
	return of
}

// AlterClauses returns the clauses of an ALTER TABLE; nil for another statement.
func AlterClauses(statement string) []string {
	m := alterTable.FindStringSubmatch(statement)
	if m == nil {
		return nil
	}
	return splitClauses(m[2])
}

// Query is a statement with arguments to explain it by.
type Query struct {
	SQL  string
	Args []any
}

// ClaimQueries returns the statements that claiming runs against the inbox.
func ClaimQueries() map[string]Query {
	return map[string]Query{
		"next storefront": {nextPendingSQL, []any{0}},
		"in flight":       {inFlightSQL, []any{1, 10, 1, 10}},
		"page":            {claimSQL, []any{1, 50}},
		"rows by code":    {codeRowsSQL, []any{50}},
	}
}

// TwinQuery looks for the rows that hold the events of direct rows.
func TwinQuery() Query { return Query{twinSQL + "?,?)", []any{"1", "2"}} }

// AnyErasedSQL is the query that every batch runs.
const AnyErasedSQL = anyErasedSQL

// Group is a group of numbers.
type Group struct{ *group[*int] }

// NewGroup returns a group that batches from two items on, with a long patience.
func NewGroup(one func(context.Context, *int) error, many func(context.Context, []*int) ([]*int, error)) *Group {
	g := newGroup(2, one, many)
	g.patience = time.Hour
	return &Group{g}
}

// Do writes an item as a caller does.
func (g *Group) Do(ctx context.Context, n *int) error { return g.do(ctx, n) }

// Busy reports whether a call is running.
func (g *Group) Busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy
}

// Waiting returns the number of waiting callers.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Occupy makes callers wait until the returned function is called.
func (g *Group) Occupy() func() {
	g.mu.Lock()
	g.busy = true
	g.mu.Unlock()
	return g.next
}

// ObserveQueries returns those of Observe that read the inbox.
func ObserveQueries() map[string]Query {
	return map[string]Query{
		"next":    {nextOpenSQL, []any{"pending", 0}},
		"backlog": {backlogSQL, []any{1, 10_000, 1, 10_000, 1}},
		"held":    {heldSQL, []any{1, heldBound}},
		"nobody":  {backlogSQL, []any{nil, 10_000, nil, 10_000, nil}},
	}
}

// FinishTogether finishes events of a run in one batch.
func (s *Store) FinishTogether(ctx context.Context, ids []int64, run string, c relay.EventOutcome) error {
	var all []*finishing
	for _, id := range ids {
		all = append(all, &finishing{id: id, run: run, conclusion: c, ends: []byte("[]")})
	}
	_, err := s.finishMany(ctx, all)
	return err
}

// WaitingQuery and FailedQuery return the statements that count events for a list of destinations.
func WaitingQuery(storefront int64) Query {
	query, args := inFlightOf([]int64{storefront})
	return Query{query, args}
}

func FailedQuery() Query {
	query, args := failedCount()
	return Query{query, args}
}

// PurgeCountsQuery deletes counts of attempts that are older than they are kept.
func PurgeCountsQuery(step ops.Step, n int64) (string, []any) { return purgeCountsSQL(step, n) }

// SeededEntries returns each entry of the catalogue as the releases seeded it that did not record it, as JSON by code.
func SeededEntries(t *testing.T) map[string]string {
	t.Helper()
	catalogue, err := readCatalogue(catalogueFile)
	require.NoError(t, err)
	former, err := readCatalogue(formerFile)
	require.NoError(t, err)
	texts := map[string]string{}
	for _, e := range slices.Concat(catalogue, former) {
		e.Limits = relay.Limits{}
		text, err := json.Marshal(e)
		require.NoError(t, err)
		texts[e.Code] = string(text)
	}
	return texts
}
