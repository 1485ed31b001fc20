//go:build unix

package dbtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("in use by another process")

// lockFile takes an exclusive lock that the kernel gives back when this process ends, however it ends. With wait it
// waits for the holder, without it returns errLocked.
func lockFile(path string, how lockMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), int(how))
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// lockMode says what to do when the lock is taken.
type lockMode int

const (
	orWait lockMode = syscall.LOCK_EX
	orFail lockMode = syscall.LOCK_EX | syscall.LOCK_NB
)
