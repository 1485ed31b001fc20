package cmd

import "github.com/spf13/cobra"

// NewRoot is the program's root command, without adapters.
func NewRoot() *cobra.Command { return newRoot(nil) }
