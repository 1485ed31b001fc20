package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/go-sql-driver/mysql"

	"relay/internal/relay"
)

// Error numbers of the server on which this package decides.
const (
	errDuplicate   = 1062
	errLockTimeout = 1205
	errDeadlock    = 1213
	errNoSuchTable = 1146
)

// translate is the one place where the driver's errors become the relay's. Texts of the server that quote data (a duplicate
// key, a value that does not fit) are left out: they would carry order ids and payloads into logs.
func translate(err error) error {
	var my *mysql.MySQLError
	switch {
	case err == nil || ours(err):
		return err
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", relay.ErrUnavailable, err)
	case errors.Is(err, sql.ErrNoRows):
		return relay.ErrNotFound
	case errors.As(err, &my):
		return fromServer(my)
	case isConnection(err):
		return fmt.Errorf("%w: %s", relay.ErrUnavailable, err.Error())
	}
	return err
}

// ours reports whether err is translated already.
func ours(err error) bool {
	for _, e := range []error{relay.ErrUnavailable, relay.ErrNotFound, relay.ErrUnreadable, relay.ErrConflict} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func fromServer(my *mysql.MySQLError) error {
	switch my.Number {
	case errDuplicate:
		return fmt.Errorf("%w: a row with this key exists (mysql error %d)", relay.ErrConflict, my.Number)
	case 1040, 1203, 1226, // too many connections
		1044, 1045, 1049, 1130, 1142, 1698, // access denied: the settings may be fixed soon
		1053, 1077, 1079, 1290, 1792, 1836, 1927, // shutting down, read-only after a failover, connection killed
		errLockTimeout, errDeadlock, 1317, 3024, // interrupted, after the store's own retries
		1021, 1114, 1030, // disk or table full
		1461,                 // too many prepared statements; deliveries work without
		1054, errNoSuchTable: // not migrated yet
		return fmt.Errorf("%w: mysql error %d: %s", relay.ErrUnavailable, my.Number, my.Message)
	case 1048, 1264, 1265, 1292, 1366, 1406, 1411, 3140, 3819, 4025:
		return fmt.Errorf("the database refuses a value (mysql error %d)", my.Number)
	}
	return fmt.Errorf("mysql error %d: %s", my.Number, my.Message)
}

// isConnection reports whether the connection to the server failed.
func isConnection(err error) bool {
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, mysql.ErrBusyBuffer) || errors.Is(err, mysql.ErrMalformPkt) ||
		errors.Is(err, mysql.ErrPktSync) || errors.Is(err, mysql.ErrPktSyncMul)
}

func isNumber(err error, numbers ...uint16) bool {
	var my *mysql.MySQLError
	if !errors.As(err, &my) {
		return false
	}
	for _, n := range numbers {
		if my.Number == n {
			return true
		}
	}
	return false
}
