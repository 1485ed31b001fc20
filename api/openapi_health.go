package api

import (
	"maps"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func describeHealth(r *registry, op *huma.Operation) {
	op.Responses["200"] = response("It is alive.", schemaOf[Health](r), Health{wordOK})
}

func describeReadiness(r *registry, op *huma.Operation) {
	schema, ready := r.readinessSchema()
	unavailable := maps.Clone(ready)
	unavailable["status"], unavailable["database"], unavailable["migrations"] = statusUnavailable, wordDown, wordUnknown
	ready["reconciliation"] = &ReconciliationView{Invariant: "holds", At: time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC), Checked: 12, RepairedInAll: 3}
	op.Parameters = []*huma.Param{{Name: "verbose", In: "query", Description: "Asks for details; needs a login.",
		Schema: &huma.Schema{Type: huma.TypeBoolean}, Example: true}}
	op.Responses["200"] = response("It is ready.", schema, ready)
	op.Responses["503"] = response("It is not ready.", schema, unavailable)
}

// readinessSchema is made from the checks, so that the document has every word of them; with it comes an example in which all
// is well.
func (r *registry) readinessSchema() (*huma.Schema, map[string]any) {
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
	for _, c := range r.server.ready.checks {
		schema.Properties[c.Name] = text(c.About, wordOK, append([]string{wordOK, wordDown}, c.Words...)...)
		schema.Required = append(schema.Required, c.Name)
		example[c.Name] = wordOK
	}
	reconciliation := *schemaOf[ReconciliationView](r)
	reconciliation.Description = "With verbose alone: whether every row has a final state or a running workflow."
	schema.Properties["reconciliation"] = &reconciliation
	r.api.OpenAPI().Components.Schemas.Map()["Readiness"] = schema
	return &huma.Schema{Ref: "#/components/schemas/Readiness"}, example
}
