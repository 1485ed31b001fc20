package temporal

import (
	"context"
	"maps"
	"path"
	"sync"

	"google.golang.org/grpc"
)

// calls counts what the frontend was asked, by method: what a client pays for, wherever its server runs.
type calls struct {
	mu sync.Mutex
	n  map[string]int64
}

func (c *calls) count(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	c.mu.Lock()
	if c.n == nil {
		c.n = map[string]int64{}
	}
	c.n[path.Base(info.FullMethod)]++
	c.mu.Unlock()
	return handle(ctx, request)
}

// Calls is how often each method of the frontend was called since the start, by the server's own parts too.
func (s *Server) Calls() map[string]int64 {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.n)
}
