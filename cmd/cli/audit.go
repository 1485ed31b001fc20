package cli

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// auditExport copies all entries that match. It is not a row: the response is a stream of lines, however long.
func (s *surroundings) auditExport() *cobra.Command {
	in := call{row: row{flags: auditParams}, query: map[string]*string{}, flags: map[string]*bool{}}
	c := s.remoteCommand("export", "Print all entries, one JSON object a line", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		q, err := in.queryOf()
		if err != nil {
			return err
		}
		q.Set("format", "ndjson")
		res, err := r.do(c.Context(), streamClient(), http.MethodGet, auditPath, q, nil)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if _, err := io.Copy(r.out, res.Body); err != nil { // an export that fails in between breaks the connection
			return withCode(ExitUnavailable, fmt.Errorf("the export is not complete: %w", err))
		}
		return nil
	})
	in.addFlags(c)
	describe(c, "json", "format", "")
	return uses(c, "list-audit")
}
