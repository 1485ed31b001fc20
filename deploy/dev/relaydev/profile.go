package relaydev

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profile serves Go's profiles on an address, "" for none. Only the development relay has it: a profile shows what the
// process holds in memory.
func profile(address string) error {
	if address == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return nil
}
