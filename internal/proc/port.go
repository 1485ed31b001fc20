package proc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are below the kernel's range for outgoing connections (from 32768 on Linux): one of that may be taken by any
// connection at any moment, as between choosing it and listening, or while its server restarts.
const (
	firstPort    = 10_000
	lastPort     = 32_767
	portAttempts = 1000
)

var ports struct {
	sync.Mutex
	given map[int]bool // by this process, which may choose for many servers before the first one listens
}

// FreePort returns a free port of 127.0.0.1.
func FreePort(ctx context.Context) (int, error) {
	ports.Lock()
	defer ports.Unlock()
	if ports.given == nil {
		ports.given = map[int]bool{}
	}
	var lc net.ListenConfig
	for range portAttempts {
		port := firstPort + rand.IntN(lastPort-firstPort+1) //nolint:gosec // any will do
		if ports.given[port] {
			continue
		}
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err != nil {
			continue
		}
		ports.given[port] = true
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("choose a free port: %w", err)
		}
		return port, nil
	}
	return 0, errors.New("choose a free port: none found")
}
