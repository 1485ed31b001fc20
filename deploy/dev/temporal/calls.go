package temporal

import (
	"context"
	"maps"
	"path"
	"sync"

	"google.golang.org/grpc"
)

// calls counts the requests to the frontend by method, which are a client's cost on any server.
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

// Calls returns how often each method of the frontend was called since the start, also by the server's own parts.
func (s *Server) Calls() map[string]int64 {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.n)
}
