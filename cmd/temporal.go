package cmd

import (
	"context"
	"sync/atomic"

	"go.temporal.io/sdk/client"
)

// connection is Temporal's client, made without connecting. The SDK reads the server's capabilities at the first call, and an
// eager start reads them without a lock: so one caller at a time makes that first call, until it has succeeded.
type connection struct {
	client.Client // for a worker, which is made after reach has succeeded

	turn    chan struct{}
	reached atomic.Bool
}

func newConnection(o client.Options) (*connection, error) {
	c, err := client.NewLazyClient(o)
	return &connection{Client: c, turn: make(chan struct{}, 1)}, err
}

// reach waits until the server has responded once.
func (c *connection) reach(ctx context.Context) error {
	if c.reached.Load() {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.reached.Load() {
		return nil
	}
	_, err := c.Client.CheckHealth(ctx, &client.CheckHealthRequest{})
	c.reached.Store(err == nil)
	return err
}

// CheckHealth checks the health of the server.
func (c *connection) CheckHealth(ctx context.Context, r *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	return c.Client.CheckHealth(ctx, r)
}

// ExecuteWorkflow starts a workflow.
func (c *connection) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	return c.Client.ExecuteWorkflow(ctx, o, workflow, args...)
}

// SignalWorkflow signals a workflow.
func (c *connection) SignalWorkflow(ctx context.Context, id, run, signal string, arg any) error {
	if err := c.reach(ctx); err != nil {
		return err
	}
	return c.Client.SignalWorkflow(ctx, id, run, signal, arg)
}
