package api

import (
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func (b *book) declareHealth() {
	b.declare(open, huma.Operation{
		OperationID: "get-health", Method: http.MethodGet, Path: "/health", Tags: []string{tagHealth}, Summary: "Whether the process lives",
		Responses: map[string]*huma.Response{"200": answer("It does.", schemaOf[Health](b), Health{wordOK})},
	})
	schema, ready := b.readinessSchema()
	unavailable := maps.Clone(ready)
	unavailable["status"], unavailable["database"], unavailable["migrations"] = statusUnavailable, wordDown, wordUnknown
	ready["reconciliation"] = &ReconciliationView{Invariant: "holds", At: time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC), Checked: 12, RepairedInAll: 3}
	b.declare(open, huma.Operation{
		OperationID: "get-health-ready", Method: http.MethodGet, Path: "/health/ready", Tags: []string{tagHealth},
		Summary: "Whether the process can do its work", Description: "One word for each check. With verbose, which needs a login, also the reconciler's findings.",
		Parameters: []*huma.Param{{Name: "verbose", In: "query", Description: "Asks for details; needs a login.",
			Schema: &huma.Schema{Type: huma.TypeBoolean}, Example: true}},
		Responses: map[string]*huma.Response{
			"200": answer("It can.", schema, ready),
			"503": answer("It cannot.", schema, unavailable),
		},
	})
}

// readinessSchema is made from the checks, so that the document has every word of them; with it comes an example in which all
// is well.
func (b *book) readinessSchema() (*huma.Schema, map[string]any) {
	text := func(about, example string, words ...string) *huma.Schema {
		s := &huma.Schema{Type: huma.TypeString, Description: about, Examples: []any{example}}
		for _, w := range words {
			s.Enum = append(s.Enum, w)
		}
		return s
	}
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"status"}, Properties: map[string]*huma.Schema{
		"status": text("Whether this process can do its work.", statusReady, statusReady, statusUnavailable),
	}}
	example := map[string]any{"status": statusReady}
	for _, c := range b.server.ready.checks {
		schema.Properties[c.Name] = text(c.About, wordOK, append([]string{wordOK, wordDown}, c.Words...)...)
		schema.Required = append(schema.Required, c.Name)
		example[c.Name] = wordOK
	}
	reconciliation := *schemaOf[ReconciliationView](b)
	reconciliation.Description = "With verbose alone: whether every row has a final state or a running workflow."
	schema.Properties["reconciliation"] = &reconciliation
	b.api.OpenAPI().Components.Schemas.Map()["Readiness"] = schema
	return &huma.Schema{Ref: "#/components/schemas/Readiness"}, example
}
