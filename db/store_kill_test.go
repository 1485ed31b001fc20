package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
)

// errKilled is the error of every call of a killed process.
var errKilled = errors.New("killed")

// killer fails all calls of its connections from a number of statements on: like a process that is killed there, it does
// nothing more, and its open transaction is rolled back.
type killer struct{ left atomic.Int64 }

// killAfter is a Wrap for a store that is killed after n statements that write.
func killAfter(n int) func(driver.Connector) driver.Connector {
	k := &killer{}
	k.left.Store(int64(n))
	return func(c driver.Connector) driver.Connector { return &killerConnector{c, k} }
}

func writes(query string) bool {
	return !strings.HasPrefix(query, "SELECT") && !strings.HasPrefix(query, "SHOW")
}

func (k *killer) dead(query string) bool {
	if writes(query) {
		return k.left.Add(-1) < 0
	}
	return k.left.Load() < 0
}

type killerConnector struct {
	driver.Connector
	killer *killer
}

func (c *killerConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return &killerConn{conn, c.killer}, err
}

// killerConn has the methods of the driver's connection that package sql looks for.
type killerConn struct {
	driver.Conn
	killer *killer
}

func (c *killerConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.killer.dead(query) {
		return nil, errKilled
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *killerConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.killer.dead(query) {
		return nil, errKilled
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *killerConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.killer.dead("BEGIN") {
		return nil, errKilled
	}
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c *killerConn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *killerConn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

func (c *killerConn) CheckNamedValue(v *driver.NamedValue) error {
	return c.Conn.(driver.NamedValueChecker).CheckNamedValue(v)
}
