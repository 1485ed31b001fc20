package oms_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The constant files of the collection. Bruno asks for a secret variable and keeps it out of the files.
const (
	brunoJSON     = "{\n  \"version\": \"1\",\n  \"name\": \"Marketing Events Relay\",\n  \"type\": \"collection\"\n}\n"
	brunoLogin    = "auth {\n  mode: basic\n}\n\nauth:basic {\n  username: {{username}}\n  password: {{password}}\n}\n"
	brunoLocal    = "vars {\n  url: http://localhost:8000\n  username: oms\n  order: bruno-1\n}\nvars:secret [\n  password,\n  access_token,\n  api_secret\n]\n"
	collectionDir = docs + "/bruno"
)

// secrets are the secret variables besides the password, each of which is the field that it is named after.
var secrets = []string{"access_token", "api_secret"}

// order is the variable of an order, so that one request finds what another has sent.
const order = "{{order}}"

// methods are in the order of the collection.
var methods = []string{"get", "post", "put", "patch", "delete"}

// TestTheCollectionIsUpToDate makes a request for Bruno of every operation, in a folder for each tag.
func TestTheCollectionIsUpToDate(t *testing.T) {
	t.Parallel()
	want := collection(t, readDocument(t))
	if *update {
		require.NoError(t, os.RemoveAll(collectionDir))
		for name, text := range want {
			file := filepath.Join(collectionDir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))  //nolint:gosec // public files
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644)) //nolint:gosec // public files
		}
		return
	}
	got := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(collectionDir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(collectionDir, path))
		got[path] = string(text)
		return err
	}))
	require.Equal(t, want, got, stale)
}

func TestTheCollectionHoldsNoSecret(t *testing.T) {
	t.Parallel()
	for name, text := range collection(t, readDocument(t)) {
		for line := range strings.Lines(text) {
			for _, secret := range append([]string{"password"}, secrets...) {
				if field, value, ok := strings.Cut(line, ": "); ok && strings.Trim(field, ` "`) == secret {
					require.Regexp(t, "^\"?{{"+secret+"}}\"?,?\n$", value, name)
				}
			}
		}
	}
}

func collection(t *testing.T, d document) map[string]string {
	t.Helper()
	files := map[string]string{"bruno.json": brunoJSON, "collection.bru": brunoLogin, "environments/local.bru": brunoLocal}
	folders := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range methods {
			op, ok := d.Paths[path][method]
			if !ok || op.streams() {
				continue
			}
			folders[op.Tags[0]]++
			files[folder(op.Tags[0])+"/"+op.ID+".bru"] = d.request(t, method, path, op, folders[op.Tags[0]])
		}
	}
	for i, tag := range d.Tags {
		if folders[tag.Name] > 0 {
			files[folder(tag.Name)+"/folder.bru"] = brunoBlock("meta", "name: "+tag.Name, fmt.Sprint("seq: ", i+1))
		}
	}
	return files
}

func folder(tag string) string { return strings.ReplaceAll(strings.ToLower(tag), " ", "-") }

// streams reports whether the response has no end.
func (op operation) streams() bool {
	_, is := op.Responses["200"].Content["text/event-stream"]
	return is
}

func (d document) request(t *testing.T, method, path string, op operation, number int) string {
	t.Helper()
	content, hasBody := op.RequestBody.Content["application/json"]
	kind := "none"
	if hasBody {
		kind = "json"
	}
	address := "{{url}}" + strings.NewReplacer("{", ":", "}", "").Replace(path)
	in := map[string][]string{}
	for _, p := range op.Parameters {
		line := p.Name + ": " + d.text(p)
		if !p.Required {
			line = "~" + line // switched off
		} else if p.In == "query" {
			address += map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + p.Name + "=" + d.text(p)
		}
		in[p.In] = append(in[p.In], line)
	}
	blocks := []string{
		brunoBlock("meta", "name: "+op.Summary, "type: http", fmt.Sprint("seq: ", number)),
		brunoBlock(method, "url: "+address, "body: "+kind, "auth: inherit"),
	}
	for _, place := range []struct{ in, block string }{{"query", "params:query"}, {"path", "params:path"}, {"header", "headers"}} {
		if len(in[place.in]) > 0 {
			blocks = append(blocks, brunoBlock(place.block, in[place.in]...))
		}
	}
	if hasBody {
		blocks = append(blocks, brunoBlock("body:json", indentedJSON(t, d.bodyOf(content))))
	}
	if op.Description != "" {
		blocks = append(blocks, brunoBlock("docs", op.Description))
	}
	return strings.Join(blocks, "\n")
}

// bodyOf is a body to begin with: without options, without a number where a code says the same, and with variables for secrets.
func (d document) bodyOf(content media) any {
	if content.Example != nil {
		return withVariables("", content.Example)
	}
	s := d.resolve(content.Schema)
	body := map[string]any{}
	for name, p := range s.Properties {
		twin, isID := strings.CutSuffix(name, "_id")
		if _, hasCode := s.Properties[twin+"_code"]; isID && hasCode || p.nested() && !slices.Contains(s.Required, name) {
			continue
		}
		body[name] = d.sample(p)
	}
	return withVariables("", body)
}

func (s schema) nested() bool { return s.Ref != "" || s.types() == "object" || s.types() == "list" }

// withVariables replaces secrets and orders by variables.
func withVariables(name string, v any) any {
	if slices.Contains(secrets, name) {
		return "{{" + name + "}}"
	}
	switch inner := v.(type) {
	case map[string]any:
		for key, value := range inner {
			inner[key] = withVariables(key, value)
		}
	case []any:
		for i, value := range inner {
			inner[i] = withVariables(name, value)
		}
	case string:
		if name == "order_id" || name == "ids" {
			return order
		}
	}
	return v
}

// text is the example of a parameter.
func (d document) text(p parameter) string {
	value := p.Example
	if value == nil {
		value = d.sample(p.Schema)
	}
	value = withVariables(p.Name, value)
	if list, ok := value.([]any); ok {
		var all []string
		for _, v := range list {
			all = append(all, fmt.Sprint(v))
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(value)
}

func brunoBlock(name string, content ...string) string {
	text := strings.ReplaceAll(strings.Join(content, "\n"), "\n", "\n  ")
	return name + " {\n  " + text + "\n}\n"
}

func indentedJSON(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(v))
	return strings.TrimSpace(text.String())
}
