//go:build !linux && !darwin

package cli

import (
	"errors"
	"os"
)

func isTerminal(*os.File) bool { return false }

func hideInput(*os.File) (func(), error) { return nil, errors.ErrUnsupported }
