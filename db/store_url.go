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

// Session settings of every connection. The mode is strict, so that nothing is cut or bent silently; its words are those
// that MySQL 8, 9 and MariaDB share. A lock is waited for shorter than the read time-out, so that the server's own error
// arrives, which is retried; and so short that a batch with a key that somebody else is inserting stores the others soon.
const (
	sqlMode  = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
	lockWait = "2" // seconds

	dialTimeout = 5 * time.Second
	ioTimeout   = 30 * time.Second
)

// sqlalchemyURL is the form that SQLAlchemy takes, which every .env of the earlier service has: only an "@" must be
// percent-encoded in a password.
var sqlalchemyURL = regexp.MustCompile(`^([\w+]+)://(?:([^:/]*)(?::([^@]*))?@)?(\[[^/?\]]+\]|[^/:?\[\]@]*)(?::([^/?@]*))?(?:/([^?@]*))?(?:\?(.*))?$`)

// ParseURL reads mysql+aiomysql://user:password@host:port/database?params, mysql://..., or the driver's own DSN, and adds
// the settings that the relay relies on. Its errors say what is wrong and never hold the password.
func ParseURL(raw string) (*mysql.Config, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, errors.New("database url: empty; expected mysql://user:password@host:port/database")
	}
	parse := parseDSN
	if scheme := regexp.MustCompile(`^[\w+.-]+://`).FindString(raw); scheme != "" {
		if scheme != "mysql://" && !strings.HasPrefix(scheme, "mysql+") && scheme != "mariadb://" {
			return nil, fmt.Errorf("database url: %s is not spoken here; expected mysql://user:password@host:port/database", scheme)
		}
		parse = parseURL
	}
	c, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	if c.DBName == "" {
		return nil, errors.New("database url: no database named; expected mysql://user:password@host:port/database")
	}
	return c, settle(c)
}

// parseDSN keeps the driver's words back: they may quote a piece of the password.
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
		return nil, errors.New("no host named")
	}
	translatePython(values)
	c, err := withParams(values)
	if err != nil {
		return nil, err
	}
	c.User, c.Passwd = unquote(user), unquote(password)
	c.Net, c.Addr, c.DBName = network, address, unquote(name)
	c.TLS = nil // made for another address; the driver makes it again from TLSConfig
	return c, nil
}

// translatePython turns parameters of aiomysql into the driver's.
func translatePython(values url.Values) {
	for _, gone := range []string{"unix_socket", "autocommit", "charset", "use_unicode", "local_infile", "pool_recycle"} {
		values.Del(gone)
	}
	if s := values.Get("connect_timeout"); s != "" {
		values.Del("connect_timeout")
		values.Set("timeout", s+"s")
	}
}

// withParams lets the driver read its parameters, one at a time, so that an error can name the one that is wrong.
func withParams(values url.Values) (*mysql.Config, error) {
	for key := range values {
		if strings.HasPrefix(key, "ssl") {
			return nil, fmt.Errorf("parameter %q belongs to Python's driver; here it is tls=true or tls=skip-verify", key)
		}
		if _, err := mysql.ParseDSN("/?" + key + "=" + url.QueryEscape(values.Get(key))); err != nil {
			return nil, fmt.Errorf("parameter %q has a value that cannot be read", key)
		}
	}
	return mysql.ParseDSN("/?" + values.Encode())
}

// settle adds what the relay relies on.
func settle(c *mysql.Config) error {
	c.ClientFoundRows = true   // RowsAffected counts rows found, not rows changed
	c.InterpolateParams = true // one round trip a statement instead of three
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
	c.Logger = &mysql.NopLogger{} // what it says comes back as an error too
	return c.Apply(mysql.Charset("utf8mb4", ""), mysql.TimeTruncate(time.Microsecond))
}

// unquote decodes percent escapes as Python's urllib does: what is no escape stays as it is.
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
