package cli

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"relay/internal/relay"
)

// What completes an argument or the value of a flag.
const (
	namesOfStorefronts  = "storefronts"
	namesOfPlatforms    = "platforms"
	namesOfDestinations = "destinations"
)

// Bounds of a completion: a user waits for it at the prompt.
const (
	completionTimeout = 2 * time.Second
	maxCompletions    = 200
)

func completionCommand(root *cobra.Command) *cobra.Command {
	c := Group("completion", "Print a script for bash, zsh or fish that completes commands")
	c.Long = "The completions know commands, flags, and the names of storefronts, platforms and profiles: the relay is asked for them, with the stored login."
	c.Example = "  source <(relay completion bash)\n  relay completion zsh > \"${fpath[1]}/_relay\"\n  relay completion fish > ~/.config/fish/completions/relay.fish"
	shell := func(name string, write func(c *cobra.Command) error) {
		c.AddCommand(&cobra.Command{Use: name, Short: "Print the script for " + name, Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
			RunE: func(c *cobra.Command, _ []string) error { return write(c) }})
	}
	shell("bash", func(c *cobra.Command) error { return root.GenBashCompletionV2(c.OutOrStdout(), true) })
	shell("zsh", func(c *cobra.Command) error { return root.GenZshCompletion(c.OutOrStdout()) })
	shell("fish", func(c *cobra.Command) error { return root.GenFishCompletion(c.OutOrStdout(), true) })
	return c
}

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeArgs completes the arguments of a row.
func (s *surroundings) completeArgs(w row) completer {
	if w.ref != nil {
		return s.completeWords(w.ref.kinds...)
	}
	kinds := make([]string, len(w.args))
	for i, arg := range w.args {
		kinds[i] = map[string]string{"STOREFRONT": namesOfStorefronts, "DESTINATION": namesOfDestinations}[arg]
	}
	return s.completeWords(kinds...)
}

// completeWords completes arguments by their places.
func (s *surroundings) completeWords(kinds ...string) completer {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(kinds) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return s.names(c, kinds[len(args)], begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNames completes the values of flags. Files are offered for no other flag than those that take one.
func (s *surroundings) completeNames(root *cobra.Command) {
	register := func(c *cobra.Command, flag string, f completer) {
		if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
			panic(err) // the flag exists: it was just listed
		}
	}
	register(root, "profile", s.profileNames)
	walk(root, func(c *cobra.Command) {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			kinds := f.Annotations[namesKey]
			switch {
			case len(kinds) > 0:
				register(c, f.Name, func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
					return s.names(c, kinds[0], begun), cobra.ShellCompDirectiveNoFileComp
				})
			case f.Value.Type() == "true|false":
				register(c, f.Name, cobra.FixedCompletions([]string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp))
			case f.Name != "file" && f.Name != "password-file" && f.Value.Type() != "bool":
				register(c, f.Name, cobra.NoFileCompletions)
			}
		})
	})
}

// names asks the relay for codes. Whatever fails, there are none: a shell has no place for an error, and nothing is asked.
func (s *surroundings) names(c *cobra.Command, kind, begun string) []string {
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	to, err := s.session(ctx, neverAsk)
	if err != nil {
		return nil
	}
	r := newRemote(c, to)
	var list []string
	switch kind {
	case namesOfStorefronts:
		list = r.codes(ctx, storefrontRef, begun)
	case namesOfPlatforms:
		list = r.codes(ctx, platformRef, begun)
	case namesOfDestinations:
		list = append(r.codes(ctx, platformRef, begun), relay.SGTM)
	}
	return slices.DeleteFunc(list, func(code string) bool { return !strings.HasPrefix(code, begun) })
}

// codes lists codes of a resource that have a text in them; a page of them.
func (r *remote) codes(ctx context.Context, f *ref, part string) []string {
	q := url.Values{}
	if part != "" {
		q.Set("q", part)
	}
	items, _, err := r.all(ctx, f.path, q, maxCompletions)
	if err != nil {
		return nil
	}
	var list []string
	for _, item := range items {
		var members map[string]any
		if json.Unmarshal(item, &members) == nil {
			code, _ := members[f.codes[0]].(string)
			list = append(list, code)
		}
	}
	return list
}
