package telemetry

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Connector adds a span to each statement of a trace: its operation and its table, never its text or its values. A statement
// outside of a trace gets none.
func (t *Traces) Connector(next driver.Connector) driver.Connector {
	return tracedConnector{next, t.tracer}
}

type tracedConnector struct {
	driver.Connector
	tracer trace.Tracer
}

// Connect connects.
func (c tracedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if whole, ok := conn.(wholeConn); ok && err == nil {
		return &tracedConn{whole, c.tracer}, nil
	}
	return conn, err
}

// wholeConn is all that database/sql may ask of a connection: MySQL's driver has it all, and nothing may get lost.
type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type tracedConn struct {
	wholeConn
	tracer trace.Tracer
}

// ExecContext runs a statement.
func (c *tracedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	end := c.begin(ctx, query)
	result, err := c.wholeConn.ExecContext(ctx, query, args)
	end(err)
	return result, err
}

// QueryContext runs a query; the span ends with its first rows.
func (c *tracedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	end := c.begin(ctx, query)
	rows, err := c.wholeConn.QueryContext(ctx, query, args)
	end(err)
	return rows, err
}

// PrepareContext prepares a statement, each execution of which has a span.
func (c *tracedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.wholeConn.PrepareContext(ctx, query)
	if whole, ok := s.(wholeStmt); ok && err == nil {
		return tracedStmt{whole, c, query}, nil
	}
	return s, err
}

// wholeStmt is all that database/sql may ask of a prepared statement.
type wholeStmt interface {
	driver.Stmt
	driver.ColumnConverter //nolint:staticcheck // database/sql still asks for it
	driver.NamedValueChecker
	driver.StmtExecContext
	driver.StmtQueryContext
}

type tracedStmt struct {
	wholeStmt
	conn  *tracedConn
	query string
}

// ExecContext runs the statement.
func (s tracedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	end := s.conn.begin(ctx, s.query)
	result, err := s.wholeStmt.ExecContext(ctx, args)
	end(err)
	return result, err
}

// QueryContext runs the query.
func (s tracedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	end := s.conn.begin(ctx, s.query)
	rows, err := s.wholeStmt.QueryContext(ctx, args)
	end(err)
	return rows, err
}

// BeginTx begins a transaction, whose end has a span.
func (c *tracedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.wholeConn.BeginTx(ctx, o)
	if err != nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return tx, err
	}
	return tracedTx{tx, func() func(error) { return c.begin(ctx, "COMMIT") }}, nil
}

type tracedTx struct {
	driver.Tx
	begin func() func(error)
}

// Commit commits.
func (t tracedTx) Commit() error {
	end := t.begin()
	err := t.Tx.Commit()
	end(err)
	return err
}

func (c *tracedConn) begin(ctx context.Context, query string) func(error) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return func(error) {}
	}
	operation, table := summary(query)
	attributes := []attribute.KeyValue{attribute.String("db.system.name", "mysql"), attribute.String("db.operation.name", operation)}
	name := operation
	if table != "" {
		name += " " + table
		attributes = append(attributes, attribute.String("db.collection.name", table))
	}
	_, span := c.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	return func(err error) {
		if err != nil && !errors.Is(err, driver.ErrSkip) {
			span.SetStatus(codes.Error, kindOf(err))
		}
		span.End()
	}
}

// kindOf is the number or the type of an error: MySQL's text quotes values.
func kindOf(err error) string {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return fmt.Sprintf("MySQL error %d", e.Number)
	}
	return fmt.Sprintf("%T", err)
}

var tableOf = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z_]+)`)

// summary returns a statement's operation and its first table. It reads the head only, because some statements are long.
func summary(query string) (operation, table string) {
	head := strings.TrimLeft(query[:min(len(query), 400)], "( \t\n")
	if i := strings.IndexAny(head, " \t\n"); i > 0 {
		operation = head[:i]
	} else {
		operation = head
	}
	if m := tableOf.FindStringSubmatch(head); m != nil {
		table = m[1]
	}
	return strings.ToUpper(operation), table
}
