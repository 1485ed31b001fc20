package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout is below the probe time-outs of the manifests in deploy, so that the command reports the cause itself.
const healthTimeout = 4 * time.Second

// Listen holds the settings of a command that calls the relay in its own container.
type Listen struct {
	Addr string `env:"LISTEN_ADDR" envDefault:":8000" desc:"address of the API"`
}

// healthCommand asks the relay that runs beside it, so that an image needs no other program for its health check.
func healthCommand() *cobra.Command {
	var ready bool
	c := &cobra.Command{
		Use:   "health",
		Short: "Check whether the relay at LISTEN_ADDR is alive",
		Long:  "Asks the relay that runs beside it, so that an image needs no other program for its health check: exit code 0 or 1.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var l Listen
			if err := parse(&l); err != nil {
				return err
			}
			path := "/health"
			if ready {
				path = "/health/ready"
			}
			return askHealth(c.Context(), l.Addr, path)
		},
	}
	c.Flags().BoolVar(&ready, "ready", false, "ask whether it can work, too: database, migrations and, of a worker, Temporal")
	return c
}

func askHealth(ctx context.Context, listen, path string) error {
	address, err := reachable(listen)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return errors.New("LISTEN_ADDR: is not an address")
	}
	// A transport of its own: no proxy of the environment is used inside a container.
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		return fmt.Errorf("%s does not respond", address)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // the response of /health/ready is public
	return fmt.Errorf("%s responds with %d %s", path, response.StatusCode, text)
}

// reachable is the address of a listening process on its own machine: the loopback, if it listens on all
// addresses. As a number, because an image of one file has nothing that knows the name localhost.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", errors.New("is not host:port")
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
