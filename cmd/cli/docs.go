package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func docsCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "docs", Short: "Print the reference of all commands, as Markdown", Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error { return WriteDocs(c.OutOrStdout(), root) },
	}
}

// WriteDocs writes the reference of all commands.
func WriteDocs(out io.Writer, root *cobra.Command) error {
	var b strings.Builder
	b.WriteString("# Commands\n\nWritten by `relay docs`; a test compares it with the program.\n\n" +
		"The commands that talk to a relay use its REST API and need nothing else. `relay login` stores an address and a login as a profile. " +
		"`RELAY_URL` with `ADMIN_AUTH_USERNAME` and `ADMIN_AUTH_PASSWORD`, or with `BASIC_AUTH_USERNAME` and `BASIC_AUTH_PASSWORD`, comes before the current profile; " +
		"`--profile` and `RELAY_PROFILE` come before both. An address and a login always come from the same place.\n\n" +
		"Secrets come from a prompt, a file or standard input, never from arguments. Files with secrets must be readable by their owner alone (mode 0600).\n\n" +
		"Storefronts, containers, platforms and credentials are named by their codes, or by `id:5`. `set`, `replace`, `delete` and `switches` send `If-Match` " +
		"with the version that they have just read. `--note` of every write is kept by the audit. `--json` prints JSON, for scripts.\n\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, e := range ExitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", e.Code, e.Text)
	}
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n", strings.TrimSuffix(g.Title, ":"))
		for _, c := range root.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				walk(c, func(c *cobra.Command) { writeDoc(&b, c) })
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func writeDoc(b *strings.Builder, c *cobra.Command) {
	if !c.IsAvailableCommand() {
		return
	}
	if len(c.Commands()) > 0 && c.Flags().Lookup("json") == nil && c.Long == "" {
		return // it only holds others
	}
	fmt.Fprintf(b, "\n### `%s`\n\n%s.\n", strings.TrimSuffix(c.UseLine(), " [flags]"), c.Short)
	if c.Long != "" {
		fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(c.Long, "\n", " "))
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
	}
	lines := ""
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, doc := pflag.UnquoteUsage(f)
		value := strings.ReplaceAll(strings.TrimSpace("--"+f.Name+" "+kind), "|", "\\|")
		lines += fmt.Sprintf("| `%s` | %s |\n", value, strings.ReplaceAll(doc, "|", "\\|"))
	})
	if lines != "" {
		b.WriteString("\n| flag | meaning |\n|---|---|\n" + lines)
	}
}
