package db

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Session settings of every connection. The mode is strict, so that nothing is truncated or converted silently; MySQL 8, 9
// and MariaDB all know its parameters. The lock time-out is shorter than the read time-out, so that the server's own error
// arrives, which is retried; it is so short that a batch with a key that another session is inserting soon stores the other
// events.
const (
	sqlMode  = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
	lockWait = "2" // seconds

	dialTimeout = 5 * time.Second
	ioTimeout   = 30 * time.Second
)

// sqlalchemyURL is the form of SQLAlchemy, which every .env of the earlier service has: only an "@" must be percent-encoded
// in a password.
var sqlalchemyURL = regexp.MustCompile(`^([\w+]+)://(?:([^:/]*)(?::([^@]*))?@)?(\[[^/?\]]+\]|[^/:?\[\]@]*)(?::([^/?@]*))?(?:/([^?@]*))?(?:\?(.*))?$`)

// ParseURL reads mysql+aiomysql://user:password@host:port/database?params, mysql://..., or the driver's own DSN, and adds
// the settings that the relay relies on. Its errors never contain the password.
func ParseURL(raw string) (*mysql.Config, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, errors.New("database url: empty; expected mysql://user:password@host:port/database")
	}
	parse := parseDSN
	if scheme := regexp.MustCompile(`^[\w+.-]+://`).FindString(raw); scheme != "" {
		if scheme != "mysql://" && !strings.HasPrefix(scheme, "mysql+") && scheme != "mariadb://" {
			return nil, fmt.Errorf("database url: %s is not supported; expected mysql://user:password@host:port/database", scheme)
		}
		parse = parseURL
	}
	c, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	if c.DBName == "" {
		return nil, errors.New("database url: no database name; expected mysql://user:password@host:port/database")
	}
	return c, settle(c)
}

// parseDSN hides the driver's error texts: they may quote a part of the password.
func parseDSN(raw string) (*mysql.Config, error) {
	c, err := mysql.ParseDSN(raw)
	if err != nil {
		return nil, errors.New("neither mysql://user:password@host:port/database nor user:password@tcp(host:port)/database")
	}
	return c, nil
}

func parseURL(raw string) (*mysql.Config, error) {
	m := sqlalchemyURL.FindStringSubmatch(raw)
	if m == nil {
		return nil, errors.New(`cannot be read; an "@" in the password is written %40`)
	}
	user, password, host, port, name, params := m[2], m[3], strings.Trim(m[4], "[]"), m[5], m[6], m[7]
	network, address := "tcp", net.JoinHostPort(host, "3306")
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("the port is not a number from 1 to 65535")
		}
		address = net.JoinHostPort(host, port)
	}
	values, err := url.ParseQuery(params)
	if err != nil {
		return nil, errors.New("the parameters after the ? cannot be read")
	}
	if socket := values.Get("unix_socket"); socket != "" {
		network, address = "unix", socket
	} else if host == "" {
		return nil, errors.New("no host name")
	}
	translatePython(values)
	c, err := withParams(values)
	if err != nil {
		return nil, err
	}
	c.User, c.Passwd = unquote(user), unquote(password)
	c.Net, c.Addr, c.DBName = network, address, unquote(name)
	c.TLS = nil // of another address; the driver creates it again from TLSConfig
	return c, nil
}

// translatePython converts parameters of aiomysql to the driver's.
func translatePython(values url.Values) {
	for _, gone := range []string{"unix_socket", "autocommit", "charset", "use_unicode", "local_infile", "pool_recycle"} {
		values.Del(gone)
	}
	if s := values.Get("connect_timeout"); s != "" {
		values.Del("connect_timeout")
		values.Set("timeout", s+"s")
	}
}

// withParams passes the parameters to the driver one at a time, so that an error can name the wrong one.
func withParams(values url.Values) (*mysql.Config, error) {
	for key := range values {
		if strings.HasPrefix(key, "ssl") {
			return nil, fmt.Errorf("parameter %q is one of Python's driver; use tls=true or tls=skip-verify", key)
		}
		if _, err := mysql.ParseDSN("/?" + key + "=" + url.QueryEscape(values.Get(key))); err != nil {
			return nil, fmt.Errorf("parameter %q has a value that cannot be read", key)
		}
	}
	return mysql.ParseDSN("/?" + values.Encode())
}

// settle adds the settings that the relay relies on.
func settle(c *mysql.Config) error {
	c.ClientFoundRows = true   // RowsAffected counts rows found, not rows changed
	c.InterpolateParams = true // one round trip per statement instead of three
	c.ParseTime, c.Loc = true, time.UTC
	c.RejectReadOnly = true // after a failover: a pool must not stay with a server that has become a replica
	c.MultiStatements, c.AllowAllFiles = false, false
	if c.Timeout == 0 {
		c.Timeout = dialTimeout
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = ioTimeout
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = ioTimeout
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params["sql_mode"] = "'" + sqlMode + "'"
	c.Params["time_zone"] = "'+00:00'"
	c.Params["innodb_lock_wait_timeout"] = lockWait
	c.Logger = &mysql.NopLogger{} // its message is returned as an error too
	return c.Apply(mysql.Charset("utf8mb4", ""), mysql.TimeTruncate(time.Microsecond))
}

// unquote decodes percent escapes as Python's urllib does: an invalid escape stays unchanged.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
