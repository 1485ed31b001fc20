// Command newplatform writes the skeleton of a platform: make platform NAME=example
//
// It compiles, is registered and passes the conformance suite. It assumes a request in the form of Meta's Conversions API with a bearer
// token. What only the vendor's documentation knows is marked FILL IN; TestEveryPlatformIsComplete of tests/checks lists each mark.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"relay/deploy/dev/platformfiles"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "newplatform:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: go run ./dev/newplatform CODE, in the folder deploy")
	}
	root, err := repository()
	if err != nil {
		return err
	}
	written, err := Generate(context.Background(), root, args[0])
	for _, file := range written {
		fmt.Println(file)
	}
	if err == nil {
		fmt.Println("next: cd deploy && go test ./tests/checks -run TestEveryPlatformIsComplete names what is left to do")
	}
	return err
}

// repository returns the parent folder that holds the main module.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, platformfiles.Registry)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside the repository")
		}
		dir = parent
	}
}
