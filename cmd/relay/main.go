// Command relay is the Marketing Events Relay. See relay --help.
package main

import (
	"context"
	"os"

	"relay/adapters"
	"relay/cmd"
)

func main() { os.Exit(cmd.Main(context.Background(), os.Args[1:], adapters.All())) }
