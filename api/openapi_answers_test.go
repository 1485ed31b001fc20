package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// contract is the document that an API serves, as an independent validator reads it.
type contract struct {
	doc   map[string]any
	paths []contractPath

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

type contractPath struct {
	template string
	pattern  *regexp.Regexp
	item     map[string]any
}

const contractURL = "https://relay.example.com/openapi.json"

var pathParam = regexp.MustCompile(`\{[a-z_]+\}`)

// readContract asks a handler for its document.
func readContract(t testing.TB, h http.Handler) *contract {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	require.Equal(t, http.StatusOK, w.Code)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	require.NoError(t, err)
	c := &contract{doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	require.NoError(t, c.compiler.AddResource(contractURL, doc))
	for template, item := range c.doc["paths"].(map[string]any) {
		pattern := regexp.MustCompile("^" + pathParam.ReplaceAllString(template, "[^/]+") + "$")
		c.paths = append(c.paths, contractPath{template, pattern, item.(map[string]any)})
	}
	// A path without a parameter comes before one that has one there: /events/count is no /events/{id}.
	slices.SortFunc(c.paths, func(a, b contractPath) int {
		return strings.Compare(strings.ReplaceAll(a.template, "{", "\x7f"), strings.ReplaceAll(b.template, "{", "\x7f"))
	})
	return c
}

// operation is what the document says of a request, and where.
func (c *contract) operation(method, path string) (map[string]any, string) {
	path, _, _ = strings.Cut(path, "?")
	for _, p := range c.paths {
		if op, ok := p.item[strings.ToLower(method)].(map[string]any); ok && p.pattern.MatchString(path) {
			return op, "/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p.template) + "/" + strings.ToLower(method)
		}
	}
	return nil, ""
}

// documented fails unless the document allows the answer: its status, its type, and its body down to the last field.
func (c *contract) documented(t testing.TB, method, path string, status int, header http.Header, body []byte) {
	t.Helper()
	op, pointer := c.operation(method, path)
	if op == nil {
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status, "%s %s is not in the document", method, path)
		return
	}
	name := fmt.Sprintf("%s %s → %d", method, path, status)
	response, ok := op["responses"].(map[string]any)[fmt.Sprint(status)].(map[string]any)
	require.True(t, ok, "%s: the status is not in the document", name)
	content, _ := response["content"].(map[string]any)
	if len(body) == 0 {
		require.Empty(t, content, "%s: the document promises a body", name)
		return
	}
	kind := header.Get("Content-Type")
	require.Contains(t, content, kind, "%s: the type is not in the document", name)
	if !strings.Contains(kind, "json") { // a stream
		return
	}
	documents := [][]byte{body}
	if strings.HasSuffix(kind, "ndjson") {
		documents = slices.Collect(bytes.Lines(body))
	}
	schema := c.schema(t, fmt.Sprintf("%s/responses/%d/content/%s/schema", pointer, status, strings.ReplaceAll(kind, "/", "~1")))
	for _, document := range documents {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		require.NoError(t, err, name)
		require.NoError(t, schema.Validate(value), "%s: %s", name, document)
	}
}

func (c *contract) schema(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.schemas[pointer]; s != nil {
		return s
	}
	s, err := c.compiler.Compile(contractURL + "#" + pointer)
	require.NoError(t, err)
	c.schemas[pointer] = s
	return s
}

// exemplified reports whether a parameter shows what to write: an example, or the values to choose from.
func exemplified(parameter map[string]any) bool {
	schema := object(parameter["schema"])
	return parameter["example"] != nil || schema["examples"] != nil || schema["enum"] != nil || object(schema["items"])["enum"] != nil
}

// describe fails for a field without a description, or a simple one without an example, and calls itself for what is below.
func describe(t testing.TB, where string, schema map[string]any) {
	t.Helper()
	for name, property := range object(schema["properties"]) {
		p := property.(map[string]any)
		require.NotEmpty(t, p["description"], "%s.%s has no description", where, name)
		if kind, ok := p["type"].(string); ok && kind != "object" && kind != "array" {
			require.True(t, p["examples"] != nil || p["example"] != nil || p["enum"] != nil, "%s.%s has no example", where, name)
		}
		describe(t, where+"."+name, p)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			describe(t, where+"."+key, inner)
		}
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func (c *contract) operations(visit func(method, template string, op map[string]any)) {
	for _, p := range c.paths {
		for method, op := range p.item {
			visit(strings.ToUpper(method), p.template, op.(map[string]any))
		}
	}
}

func TestTheDocumentDescribesEveryFieldAndShowsExamples(t *testing.T) {
	t.Parallel()
	c := readContract(t, newOpsTest(t).handler)
	for name, schema := range object(object(c.doc["components"])["schemas"]) {
		describe(t, name, schema.(map[string]any))
	}
	c.operations(func(method, template string, op map[string]any) {
		name := method + " " + template
		require.NotEmpty(t, op["summary"], name)
		require.NotEmpty(t, op["operationId"], name)
		require.NotEmpty(t, op["tags"], name)
		params, _ := op["parameters"].([]any)
		for _, p := range params {
			p := p.(map[string]any)
			require.NotEmpty(t, p["description"], "%s: %s has no description", name, p["name"])
			require.NotContains(t, p["name"], "-id", name)
			require.True(t, exemplified(p), "%s: %s has no example", name, p["name"])
		}
		for media, content := range object(object(op["requestBody"])["content"]) {
			describe(t, name+" "+media, object(object(content)["schema"]))
		}
		require.Contains(t, op["responses"], map[bool]string{true: "401", false: "200"}[!strings.HasPrefix(template, "/health")], name)
	})
}

func TestEveryRouteOfTheDocumentIsThereAndAsksForALogin(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	c := readContract(t, a.handler)
	c.operations(func(method, template string, op map[string]any) {
		path := pathParam.ReplaceAllString(template, "999999")
		w := a.do(httptest.NewRequest(method, path, strings.NewReader("{}")))
		c.documented(t, method, path, w.Code, w.Header(), w.Body.Bytes())
		if len(op["security"].([]any)) == 0 {
			require.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, w.Code, template)
			return
		}
		require.Equal(t, http.StatusUnauthorized, w.Code, "%s %s", method, template)
		for _, login := range [][2]string{anna, {user, password}} { // one of them gets past the login
			req := httptest.NewRequest(method, path, strings.NewReader("{}"))
			req.SetBasicAuth(login[0], login[1])
			w := a.do(req)
			c.documented(t, method, path, w.Code, w.Header(), w.Body.Bytes())
			require.NotEqual(t, http.StatusMethodNotAllowed, w.Code)
			require.Less(t, w.Code, 500, "%s %s: %s", method, template, w.Body)
		}
	})
}

func TestTheAnswersToABatchAreAsDocumented(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	c := readContract(t, r.handler)
	for _, body := range []string{sample, `{"data":[]}`, `{"data":[{}]}`, `{"count":9,"data":[` + event("event_time", `"2026-01-15T10:15:00"`) + `,{"order_id":"1"}]}`,
		`[]`, `{`, `{"data":1}`} {
		w := r.do(request(strings.NewReader(body)))
		c.documented(t, http.MethodPost, "/v1/events", w.Code, w.Header(), w.Body.Bytes())
	}
	var op struct {
		Content map[string]struct {
			Schema  json.RawMessage
			Example any
		}
	}
	body, err := json.Marshal(object(object(c.doc["paths"])["/v1/events"])["post"].(map[string]any)["requestBody"])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &op))
	example, err := json.Marshal(op.Content["application/json"].Example)
	require.NoError(t, err)
	w := newTest(t).do(request(bytes.NewReader(example)))
	require.Equal(t, http.StatusAccepted, w.Code, "the example of the document is one that is taken")
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(example))
	require.NoError(t, err)
	require.NoError(t, c.schema(t, "/paths/~1v1~1events/post/requestBody/content/application~1json/schema").Validate(value))
}

// TestEveryRefusalShowsAnExampleOfItsStatus reads the examples as a reader of /docs sees them.
func TestEveryRefusalShowsAnExampleOfItsStatus(t *testing.T) {
	t.Parallel()
	c := readContract(t, newOpsTest(t).handler)
	codes := regexp.MustCompile("`([a-z_]+)`")
	byStatus := map[string][]string{} // of the table in the description
	for line := range strings.Lines(object(c.doc["info"])["description"].(string)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			status, _, _ := strings.Cut(strings.TrimSpace(cells[1]), " ")
			for _, m := range codes.FindAllStringSubmatch(cells[2], -1) {
				byStatus[status] = append(byStatus[status], m[1])
			}
		}
	}
	c.operations(func(method, template string, op map[string]any) {
		for status, response := range object(op["responses"]) {
			content := object(object(object(response)["content"])["application/problem+json"])
			if len(content) == 0 {
				continue
			}
			name := fmt.Sprintf("%s %s → %s", method, template, status)
			example := object(content["example"])
			require.NotEmpty(t, example, name)
			require.Equal(t, status, fmt.Sprint(example["status"]), name)
			require.Contains(t, byStatus[status], example["code"], name)
			require.NotEmpty(t, example["detail"], name)
			_, pointer := c.operation(method, template)
			schema := c.schema(t, fmt.Sprintf("%s/responses/%s/content/application~1problem+json/schema", pointer, status))
			require.NoError(t, schema.Validate(content["example"]), name)
		}
	})
	require.Equal(t, "MIT", object(object(c.doc["info"])["license"])["name"])
	text, err := os.ReadFile("../LICENSE")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "MIT License"), "the document names the repository's licence")
}

func TestADryRunAndAReplayHaveExamplesOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := readContract(t, newOpsTest(t).handler)
	responses := object(object(object(object(c.doc["paths"])["/admin/v1/replays"])["post"])["responses"])
	for status, member := range map[string]string{"200": "dry_run", "201": "replay"} {
		example := object(object(object(object(responses[status])["content"])["application/json"])["example"])
		require.Contains(t, example, member, status)
		require.NotContains(t, example, map[string]string{"dry_run": "replay", "replay": "dry_run"}[member], status)
	}
}
