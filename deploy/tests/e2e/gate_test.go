package e2e_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// gate is a proxy between the relay and a server. While it is closed, it holds the relay's data back, and drops it if the relay ends
// meanwhile.
type gate struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	moved *sync.Cond
	shut  bool
	conns map[net.Conn]bool
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{listener: l, target: target, conns: map[net.Conn]bool{}}
	g.moved = sync.NewCond(&g.mu)
	go g.accept()
	t.Cleanup(func() { _ = l.Close(); g.drop() })
	return g
}

func (g *gate) address() string { return g.listener.Addr().String() }

func (g *gate) accept() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", g.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		g.mu.Lock()
		g.conns[client], g.conns[server] = true, true
		g.mu.Unlock()
		go g.pass(client, server, true)
		go g.pass(server, client, false)
	}
}

// pass copies one direction until either side closes.
func (g *gate) pass(from, to net.Conn, held bool) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || held && !g.await(from) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// await waits until the gate is open. It returns false for a connection that was dropped.
func (g *gate) await(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut && g.conns[c] {
		g.moved.Wait()
	}
	return g.conns[c]
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// drop discards the data held back, and opens the gate for new connections.
func (g *gate) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		_ = c.Close()
	}
	g.conns, g.shut = map[net.Conn]bool{}, false
	g.moved.Broadcast()
}
