// Command newplatform generates the adapter of a platform of the catalogue: go run ./dev/newplatform reddit
//
// The generated code compiles, is registered and passes the conformance suite. It assumes a request in the form of Meta's
// Conversions API with a bearer token; edit path, payload and outcome according to the vendor's documentation, then run make golden.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "newplatform:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: go run ./dev/newplatform CODE, with a code of the catalogue, in the folder deploy")
	}
	root, err := repository()
	if err != nil {
		return err
	}
	written, err := Generate(context.Background(), root, args[0])
	for _, file := range written {
		fmt.Println(file)
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
		if _, err := os.Stat(filepath.Join(dir, registryFile)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside the repository")
		}
		dir = parent
	}
}
