package oms_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the generated parts of docs/OMS.md, and docs/bruno")

const (
	docs  = "../../../docs"
	stale = "run: cd deploy && go test ./tests/oms -update"
)

var (
	page  = filepath.Join(docs, "OMS.md")
	block = regexp.MustCompile(`(?s)<!-- generated: ([^\n]*) -->\n.*?<!-- end -->`)
)

// TestThePageIsUpToDate makes the tables from the OpenAPI document and the tables of the database, and quotes the examples.
func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	d, columns := readDocument(t), readColumns(t)
	requireDefaults(t, columns)
	errors := d.schema(t, "ItemError").Properties["code"].Codes
	parts := map[string]string{
		"item":                 items(d.schema(t, "EventItem")),
		"result":               members(d.schema(t, "BatchResult")),
		"error":                members(d.schema(t, "ItemError")),
		"statuses":             statuses(d),
		"errors":               remedies(errors["errors"]),
		"warnings":             remedies(errors["warnings"]),
		"status":               members(d.schema(t, "StatusView")),
		"columns":              writableTable(t, columns),
		"relay columns":        quoted(relayColumns(columns)) + ".\n",
		"grant":                grant(),
		"examples/oms_http.py": quote(t, "examples/oms_http.py"),
		"examples/oms_sql.py":  quote(t, "examples/oms_sql.py"),
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	found := map[string]bool{}
	want := block.ReplaceAllStringFunc(string(text), func(old string) string {
		name := block.FindStringSubmatch(old)[1]
		require.Contains(t, parts, name)
		found[name] = true
		return fmt.Sprintf("<!-- generated: %s -->\n\n%s\n<!-- end -->", name, parts[name])
	})
	require.ElementsMatch(t, slices.Collect(maps.Keys(parts)), slices.Collect(maps.Keys(found)))
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644)) //nolint:gosec // a public page
		return
	}
	require.Equal(t, want, string(text), stale)
}

// TestThePageNamesEveryStatus compares the table that says what OMS does with the statuses of the schema.
func TestThePageNamesEveryStatus(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, status := range readDocument(t).schema(t, "StatusView").Properties["status"].Enum {
		require.Contains(t, string(text), fmt.Sprintf("\n| `%s` | ", status))
	}
}

func items(s schema) string {
	rows := []string{"| field | required | type | limit | example | meaning |", "|---|---|---|---|---|---|"}
	for _, name := range s.names() {
		p, need, limit := s.Properties[name], "no", ""
		if slices.Contains(s.Required, name) {
			need = "**yes**"
		}
		if p.MaxLength > 0 {
			limit = fmt.Sprintf("%d characters", p.MaxLength)
		}
		if p.Minimum != nil {
			limit = fmt.Sprintf("%v or more", *p.Minimum)
		}
		rows = append(rows, row("`"+name+"`", need, p.types(), limit, example(p), p.Description))
	}
	return lines(rows)
}

func members(s schema) string {
	rows := []string{"| member | type | example | meaning |", "|---|---|---|---|"}
	for _, name := range s.names() {
		p := s.Properties[name]
		about := p.Description
		if p.Codes != nil { // a table of its own lists them
			about, _, _ = strings.Cut(about, ". ")
			about += ", see below."
		}
		rows = append(rows, row("`"+name+"`", p.types(), example(p), about))
	}
	return lines(rows)
}

// example is that of the schema, as JSON.
func example(p schema) string {
	if len(p.Examples) == 0 {
		return ""
	}
	text, err := json.Marshal(p.Examples[0])
	if err != nil {
		return ""
	}
	return "`" + string(text) + "`"
}

func statuses(d document) string {
	rows := []string{"| status | means, and what OMS does |", "|---|---|"}
	responses := d.Paths["/v1/events"]["post"].Responses
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		rows = append(rows, row(status, responses[status].Description))
	}
	return lines(rows)
}

func remedies(list []codeRemedy) string {
	rows := []string{"| `code` | means | OMS does |", "|---|---|---|"}
	for _, c := range list {
		rows = append(rows, row("`"+c.Code+"`", c.Message, c.Do))
	}
	return lines(rows)
}

func quote(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, file))
	require.NoError(t, err)
	return "```python\n" + string(text) + "```\n"
}

func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return strings.ReplaceAll("| "+strings.Join(cells, " | ")+" |", "|  |", "| |")
}

func lines(rows []string) string { return strings.Join(rows, "\n") + "\n" }

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
