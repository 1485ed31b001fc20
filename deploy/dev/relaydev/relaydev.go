// Package relaydev is the production relay with one more platform: the sandbox, under several codes, so that fan-out and
// its failures can be tested. It links neither Temporal's server nor its Web UI, and builds in seconds.
package relaydev

import (
	"context"
	"fmt"
	"os"

	"relay/adapters"
	adapter "relay/adapters/sandbox"
	"relay/cmd"
	"relay/deploy/sandbox"
	"relay/internal/proc"
)

// Main runs the relay's command line and returns its exit code. It ends with the process that started it.
func Main(ctx context.Context, args []string) int {
	proc.ExitWithParent()
	if err := profile(os.Getenv("RELAY_DEV_PROFILES")); err != nil {
		fmt.Fprintln(os.Stderr, "RELAY_DEV_PROFILES:", err)
		return 2
	}
	all := adapters.All()
	for _, code := range sandbox.Platforms() {
		all[code] = adapter.Adapter{}
	}
	return cmd.Main(ctx, args, all)
}
