package cmd

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/db"
	"relay/internal/relay"
)

func openapiCommand(adapters map[string]relay.Adapter) *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI 3.1 document of the API",
		Long:  "Prints the document as /openapi.json serves it. It needs no settings.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			body, err := document(c.Context(), adapters)
			if err == nil {
				_, err = c.OutOrStdout().Write(append(body, '\n'))
			}
			return err
		},
	}
}

// document requests the document from an API in memory, without its servers: the document does not need them.
func document(ctx context.Context, adapters map[string]relay.Adapter) ([]byte, error) {
	key, err := db.GenerateKey()
	if err != nil {
		return nil, err
	}
	cfg := Config{Database: Database{URL: relay.NewSecret("mysql://relay@127.0.0.1/relay")}, Username: "oms",
		Password: relay.NewSecret("none"), EncryptionKey: relay.NewSecret(key)}
	s := &service{cfg: cfg, role: api.RoleServe, adapters: adapters, log: newLogger(false)}
	if err := s.open(); err != nil {
		return nil, err
	}
	defer s.close()
	h, err := s.handler(ctx, noStarter{})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/openapi.json", nil)
	if err != nil {
		return nil, err
	}
	w := &page{header: http.Header{}}
	h.ServeHTTP(w, req)
	if w.status != http.StatusOK {
		return nil, fmt.Errorf("the document has status %d", w.status)
	}
	return w.Bytes(), nil
}

// noStarter starts nothing.
type noStarter struct{}

func (noStarter) Reserve(context.Context, string, int) int       { return 0 }
func (noStarter) Start(context.Context, []relay.PendingDelivery) {}
func (noStarter) Release(string, int)                            {}

// page keeps a response.
type page struct {
	bytes.Buffer
	header http.Header
	status int
}

func (p *page) Header() http.Header    { return p.header }
func (p *page) WriteHeader(status int) { p.status = status }
