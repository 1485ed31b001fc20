// Command relay-dev is the relay with the sandbox platform, for tests that rebuild it often or with the race detector.
package main

import (
	"context"
	"os"

	"relay/deploy/dev/relaydev"
)

func main() { os.Exit(relaydev.Main(context.Background(), os.Args[1:])) }
