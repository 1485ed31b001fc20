// Package cli has the commands for ops: each talks to a relay's REST API and needs nothing else. Most are rows of a table; those that
// ask, watch or draw are functions of their own.
package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"relay/internal/relay"
)

// Environment holds the settings of the commands that come from the environment. All are optional.
type Environment struct {
	Profile  string
	URL      string
	Username string
	Password relay.Secret
}

// Options are the parts of the commands' surroundings.
type Options struct {
	Environment func() (Environment, error)
	ConfigDir   func() (string, error) // the folder of a user's settings
}

// Groups of the root command's help.
const (
	GroupRun    = "run"
	GroupLook   = "look"
	GroupChange = "change"
	GroupLogin  = "login"
	GroupOthers = "others"
)

// groups are the help's headings in their order.
var groups = []*cobra.Group{
	{ID: GroupLook, Title: "Look at a relay:"},
	{ID: GroupChange, Title: "Change something at a relay:"},
	{ID: GroupLogin, Title: "Log in to relays:"},
	{ID: GroupRun, Title: "Run a relay:"},
	{ID: GroupOthers, Title: "Others:"},
}

// AddTo adds the commands to the root, and sets the root's help and exit codes. It is called once all others have been added.
func AddTo(root *cobra.Command, o Options) {
	s := &surroundings{Options: o}
	root.AddGroup(groups...)
	root.PersistentFlags().StringVar(&s.profile, "profile", "", "the stored login to use, see relay login")
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(GroupLook, s.checkCommand(), s.eventsCommand(), s.backlogCommand(), s.destinationsCommand(), s.previewCommand(), s.notifyCommand())
	add(GroupChange, s.replayCommand(), s.probeCommand(), s.eraseCommand())
	add(GroupLogin, s.loginCommand(), s.logoutCommand(), s.profilesCommand())
	s.addTable(root)
	child(root, "switches", nouns["switches"]).AddCommand(s.switchesList())
	child(root, "audit", nouns["audit"]).AddCommand(s.auditExport())
	add(GroupOthers, completionCommand(root), docsCommand(root))
	s.completeNames(root)
	finish(root)
}

// finish makes unknown commands and flags usage errors, and the help fit 80 columns.
func finish(root *cobra.Command) {
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommandGroupID(GroupOthers)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	setHelp(root)
	root.Args, root.RunE = cobra.ArbitraryArgs, func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownCommand(c, args[0])
	}
	walk(root, func(c *cobra.Command) {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error { return usage(check(c, args)) }
		}
	})
}

// walk calls f for a command and all below it.
func walk(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		walk(sub, f)
	}
}

// Group is a command that does nothing but hold others: without one of them it fails, so that a script notices.
func Group(name, short string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, args[0])
		}
		return usagef("%s needs a command: %s", c.CommandPath(), strings.Join(names(c), ", "))
	}}
}

// names lists the commands below one.
func names(c *cobra.Command) []string {
	var list []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, sub.Name())
		}
	}
	return list
}

func unknownCommand(c *cobra.Command, name string) error {
	words := fmt.Sprintf("%s has no command %q", c.CommandPath(), name)
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(name); len(near) > 0 {
		return usagef("%s; did you mean %s?", words, strings.Join(near, " or "))
	}
	return usagef("%s; it has %s", words, strings.Join(names(c), ", "))
}

// operationsKey is the annotation that lists the operations of the API that a command uses: a test compares them with the document.
const operationsKey = "operations"

// uses notes the operations of a command.
func uses(c *cobra.Command, operations ...string) *cobra.Command {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[operationsKey] = strings.Join(operations, " ")
	return c
}

// Operations maps the API's operations to the commands that use them.
func Operations(root *cobra.Command) map[string][]*cobra.Command {
	all := map[string][]*cobra.Command{}
	walk(root, func(c *cobra.Command) {
		for _, id := range strings.Fields(c.Annotations[operationsKey]) {
			if !slices.Contains(all[id], c) {
				all[id] = append(all[id], c)
			}
		}
	})
	return all
}
