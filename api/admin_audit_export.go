package api

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"relay/internal/ops"
)

const (
	ndjson = "application/x-ndjson"
	// exportPage is the number of an export's entries in memory at a time.
	exportPage = 500
)

// auditOutput writes one page of the audit log, or all of it.
type auditOutput struct{ Body func(huma.Context) }

// exports reports whether a request asks for all entries, one per line.
func (in *auditInput) exports() bool {
	if in.Format != "" {
		return in.Format == "ndjson"
	}
	for part := range strings.SplitSeq(in.Accept, ",") {
		if kind, parameters, err := mime.ParseMediaType(part); err == nil && kind == ndjson {
			return parameters["q"] != "0"
		}
	}
	return false
}

// exportAudit streams all matching entries, a page at a time. The first page is read before the response begins, so that an error
// there is a problem response. A later error breaks the connection: an export that ends regularly is complete.
func (a *Admin) exportAudit(ctx context.Context, q ops.AuditQuery) (*auditOutput, error) {
	q.Limit, q.Uncounted = exportPage, true
	page, err := a.Audit.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	return &auditOutput{func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		c.Header("Content-Type", ndjson)
		c.Header("Content-Disposition", `attachment; filename="audit.ndjson"`)
		c.Status(http.StatusOK)
		out := &stream{c: c, control: http.NewResponseController(c.Writer)}
		for c.Request.Method != http.MethodHead {
			if !out.write(auditLines(page.Items)) {
				panic(http.ErrAbortHandler)
			}
			if page.Next == nil {
				return
			}
			q.Before = page.Next.ID
			ctx, cancel := context.WithTimeout(c.Request.Context(), adminTimeout)
			page, err = a.Audit.Audit(ctx, q)
			cancel()
			if err != nil {
				logOf(c).fail(failureOf(c.Request.Context(), err))
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

func auditLines(list []ops.AuditEntry) string {
	var text strings.Builder
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, e := range list {
		_ = lines.Encode(auditView(e)) // texts, numbers and stored JSON
	}
	return text.String()
}

func describeAudit(r *registry, op *huma.Operation) {
	op.Responses["200"] = response("A page of entries; with format=ndjson all entries that match, one JSON object a line.", schemaOf[AuditList](r), nil)
	op.Responses["200"].Content[ndjson] = &huma.MediaType{Schema: schemaOf[AuditEntry](r)}
}
