package oms_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// document is the part of the OpenAPI document from which the page and the collection are made.
type document struct {
	Tags       []struct{ Name string }
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	ID          string `json:"operationId"`
	Summary     string
	Description string
	Tags        []string
	Parameters  []parameter
	RequestBody struct{ Content map[string]media }
	Responses   map[string]struct {
		Description string
		Content     map[string]media
	}
}

type parameter struct {
	Name, In string
	Required bool
	Example  any
	Schema   schema
}

type media struct {
	Schema  schema
	Example any
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        any
	Description string
	Examples    []any
	Enum        []any
	MaxLength   int
	MaxItems    int
	Minimum     *float64
	Required    []string
	Properties  map[string]schema
	Items       *schema
	Also        string                  `json:"x-also-accepts"`
	Codes       map[string][]codeRemedy `json:"x-codes"`
}

type codeRemedy struct{ Code, Message, Do string }

// printed is the output of the production binary's "relay openapi".
var printed = sync.OnceValues(func() ([]byte, error) {
	out, err := exec.Command("go", "run", "relay/cmd/relay", "openapi").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New(string(exit.Stderr))
	}
	return out, err
})

func readDocument(t *testing.T) document {
	t.Helper()
	text, err := printed()
	require.NoError(t, err)
	var d document
	require.NoError(t, json.Unmarshal(text, &d))
	return d
}

// schema returns a schema by its name.
func (d document) schema(t *testing.T, name string) schema {
	t.Helper()
	s, ok := d.Components.Schemas[name]
	require.True(t, ok, name)
	return s
}

// names returns the properties: first the required ones in the order of the document, then the others by name.
func (s schema) names() []string {
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Properties)), func(n string) bool { return slices.Contains(s.Required, n) })
	return slices.Concat(s.Required, others)
}

// types is the JSON type as the document names it.
func (s schema) types() string {
	words := "object"
	switch kind := s.Type.(type) {
	case string:
		words = kind
	case []any:
		var all []string
		for _, k := range kind {
			if k != "null" {
				all = append(all, k.(string)) //nolint:forcetypeassert // so the specification has it
			}
		}
		words = strings.Join(all, " or ")
	}
	if words == "array" {
		words = "list"
	}
	if s.Also != "" {
		words += ", or " + s.Also
	}
	return words
}

func (d document) resolve(s schema) schema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
}

// sample is a value as the examples of the document show it.
func (d document) sample(s schema) any {
	switch kind := strings.Split(s.types(), ", ")[0]; {
	case s.Ref != "":
		return d.sample(d.resolve(s))
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case kind == "list" && s.Items != nil:
		return []any{d.sample(*s.Items)}
	case kind == "object":
		object := map[string]any{}
		for name, property := range s.Properties {
			object[name] = d.sample(property)
		}
		return object
	default:
		return map[string]any{"string": "", "boolean": false, "integer": 0, "number": 0}[kind]
	}
}
