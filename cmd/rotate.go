package cmd

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"relay/cmd/cli"
	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

// keyring holds the settings of the rotation of keys.
type keyring struct {
	Database
	EncryptionKey relay.Secret `env:"ENCRYPTION_KEY,required,notEmpty" desc:"Fernet keys, comma-separated: the first encrypts, all decrypt"`
}

func rotateCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "rotate-keys",
		Short: "Re-encrypt stored secrets under the first key",
		Long: `Encrypts every stored secret anew that is not under the first key of ENCRYPTION_KEY yet: credentials, api_secret, the values
of custom_headers, and values that the earlier service stored unencrypted. It works while the relay runs, may be stopped at any moment,
and continues when it is called again. Every process of the relay needs the first key beforehand; see "Keys" in docs/OPERATIONS.md.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var cfg keyring
			if err := parse(&cfg); err != nil {
				return err
			}
			keys, err := db.NewKeys(cfg.EncryptionKey.Reveal())
			if err != nil {
				return fmt.Errorf("ENCRYPTION_KEY: %w", err)
			}
			store, err := db.Open(db.Config{URL: cfg.URL.Reveal(), Keys: keys, MaxOpen: 2})
			if err != nil {
				return fmt.Errorf("DATABASE_URL: %w", err)
			}
			defer func() { _ = store.Close() }()
			if dryRun {
				return countKeys(c.Context(), store, c.OutOrStdout())
			}
			return rotateKeys(c.Context(), store, c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count: how many values need which key")
	return c
}

// countKeys says how many values need which key.
func countKeys(ctx context.Context, store *db.Store, out io.Writer) error {
	use, err := store.KeyUse(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "NEED\tVALUES")
	for i, n := range use.ByKey {
		name := fmt.Sprintf("key %d", i+1)
		if i == 0 {
			name += ", which encrypts"
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\n", name, n)
	}
	_, _ = fmt.Fprintf(w, "no key: stored bare\t%d\n", use.Bare)
	_, _ = fmt.Fprintf(w, "a key that is missing\t%d\n", use.Unreadable)
	return w.Flush()
}

// rotateKeys rotates and says how far it is: a bar on a terminal, else lines.
func rotateKeys(ctx context.Context, store *db.Store, out io.Writer) error {
	line := ops.AuditEntry{By: "relay rotate-keys", Action: ops.ActionRotate, Entity: ops.EntityKey}
	bar := cli.Progress{Out: out}
	r, err := store.RotateKeys(ctx, line, func(r db.Rotation) {
		bar.Label = fmt.Sprintf("values, %d re-encrypted", r.Rotated)
		bar.Draw(int64(r.Done), int64(r.Of))
	})
	bar.Done()
	if err != nil {
		return fmt.Errorf("%w (%d values re-encrypted; run it again to continue)", err, r.Rotated)
	}
	_, _ = fmt.Fprintf(out, "under the first key: %d values, %d of them re-encrypted\n", r.First, r.Rotated)
	if len(r.Unreadable) == 0 {
		return nil
	}
	for _, place := range r.Unreadable {
		_, _ = fmt.Fprintln(out, "cannot be read:", place)
	}
	return fmt.Errorf("%d values cannot be read with the keys of ENCRYPTION_KEY, and were left as they are", len(r.Unreadable))
}
