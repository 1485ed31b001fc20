package cmd_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"relay/cmd"
	"relay/cmd/cli"
)

// schema is a schema of the document, as far as these tests read it.
type schema struct {
	Ref        string             `json:"$ref"`
	Items      *schema            `json:"items"`
	Properties map[string]*schema `json:"properties"`
	WriteOnly  bool               `json:"writeOnly"`
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Body *struct {
		Content map[string]struct{ Schema *schema } `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]struct{ Schema *schema } `json:"content"`
	} `json:"responses"`
}

type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

func readDocument(t *testing.T) document {
	t.Helper()
	b, err := cmd.Document(t.Context())
	require.NoError(t, err)
	var d document
	require.NoError(t, json.Unmarshal(b, &d))
	return d
}

func (d document) operations() map[string]operation {
	all := map[string]operation{}
	for _, methods := range d.Paths {
		for _, o := range methods {
			all[o.ID] = o
		}
	}
	return all
}

func (d document) resolve(s *schema) *schema {
	if s != nil && s.Ref != "" {
		return d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// has reports whether a schema has a value at a path.
func (d document) has(s *schema, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		s = d.resolve(s)
		if s == nil || s.Properties[name] == nil {
			return false
		}
		s = s.Properties[name]
	}
	return true
}

func TestEveryOperationOfTheAPIHasACommand(t *testing.T) {
	t.Parallel()
	document, commands := readDocument(t).operations(), cli.Operations(cmd.NewRoot())
	require.NotEmpty(t, document)
	for id := range document {
		require.Contains(t, commands, id, "the operation has no command: add a row to cmd/cli/rows.go")
	}
	for id := range commands {
		require.Contains(t, document, id, "a command is of an operation that does not exist")
	}
}

// given are parameters that no flag sets: the pages of lists, and what is an argument.
var given = map[string][]string{
	"get-status":        {"order_id"},
	"list-destinations": {"limit", "cursor", "storefronts"},
}

func TestEveryParameterOfAnOperationHasAFlag(t *testing.T) {
	t.Parallel()
	document, commands := readDocument(t).operations(), cli.Operations(cmd.NewRoot())
	for id, o := range document {
		flags, params := flagsOf(commands[id])
		for _, p := range o.Parameters {
			switch {
			case p.In == "query" && p.Name != "cursor" && !slices.Contains(given[id], p.Name):
				require.Contains(t, params, p.Name, "%s: the parameter has no flag", id)
			case p.In == "header" && p.Name == "Relay-Note" && id != "reveal-event":
				require.Contains(t, flags, "note", id)
			case p.In == "header" && p.Name == "If-Match":
				require.Contains(t, flags, "if-match", id)
			}
		}
	}
}

// flagsOf lists the flags of commands, and the query parameters that they set.
func flagsOf(commands []*cobra.Command) (flags, params []string) {
	for _, c := range commands {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			flags, params = append(flags, f.Name), append(params, f.Annotations["param"]...)
		})
	}
	return flags, params
}

func TestEveryFieldOfABodyHasAFlagAndSecretsAreRefusedThere(t *testing.T) {
	t.Parallel()
	d, commands := readDocument(t), cli.Operations(cmd.NewRoot())
	seen := 0
	for id, o := range d.operations() {
		c := commands[id][0]
		if o.Body == nil || c.Flags().Lookup("file") == nil {
			continue
		}
		for _, content := range o.Body.Content {
			for name, property := range d.resolve(content.Schema).Properties {
				f := c.Flags().Lookup(strings.ReplaceAll(name, "_", "-"))
				require.NotNil(t, f, "%s: the field %s has no flag", id, name)
				secret := property.WriteOnly || name == "credentials"
				require.Equal(t, secret, f.Hidden, "%s: %s", id, name)
				seen++
			}
		}
	}
	require.Greater(t, seen, 50)
}

func TestEveryColumnOfATableIsInTheResponse(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for id, commands := range cli.Operations(cmd.NewRoot()) {
		for _, c := range commands {
			for column := range strings.FieldsSeq(c.Annotations["columns"]) {
				_, path, _ := strings.Cut(column, "=")
				list := d.resolve(d.operations()[id].Responses["200"].Content["application/json"].Schema)
				require.NotNil(t, list, id)
				items := list.Properties[c.Annotations["items"]]
				require.NotNil(t, items, id)
				require.True(t, d.has(items.Items, path), "%s: the response has no %s", c.CommandPath(), path)
			}
		}
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	t.Parallel()
	root := cmd.NewRoot()
	root.InitDefaultHelpCmd()
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		var out bytes.Buffer
		c.SetOut(&out)
		require.NoError(t, c.Help())
		for line := range strings.Lines(out.String()) {
			require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 80, "%s: %s", c.CommandPath(), line)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	for _, c := range root.Commands() {
		require.NotEmpty(t, c.GroupID, "%s is under no heading of the help", c.Name())
	}
}

const reference = "../docs/CLI.md"

func TestTheReferenceIsThatOfTheCommands(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	require.NoError(t, cli.WriteDocs(&want, cmd.NewRoot()))
	if *update {
		require.NoError(t, os.WriteFile(reference, want.Bytes(), 0o644))
		return
	}
	got, err := os.ReadFile(reference)
	require.NoError(t, err)
	require.Equal(t, want.String(), string(got), "run go test ./cmd -update")
}

func TestExitCodesAreDocumentedOnce(t *testing.T) {
	t.Parallel()
	codes := map[int]string{}
	for _, e := range cli.ExitCodes {
		require.NotContains(t, codes, e.Code)
		codes[e.Code] = e.Text
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 130}, slices.Sorted(maps.Keys(codes)))
}
