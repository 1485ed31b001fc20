package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
)

func TestURLFormsNameTheSameDatabase(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"mysql+aiomysql://user:p%40ss%2Fw%3Ard@db.internal/relay",
		"mysql+aiomysql://user:p%40ss/w:rd@db.internal:3306/relay?charset=utf8mb4",
		"mysql://user:p%40ss%2fw:rd@db.internal/relay",
		"user:p@ss/w:rd@tcp(db.internal:3306)/relay",
		" mysql+pymysql://user:p%40ss/w:rd@db.internal/relay\n",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			c, err := db.ParseURL(raw)
			require.NoError(t, err)
			require.Equal(t, []string{"user", "p@ss/w:rd", "tcp", "db.internal:3306", "relay"}, []string{c.User, c.Passwd, c.Net, c.Addr, c.DBName})
			require.True(t, c.ClientFoundRows && c.ParseTime)
			require.Equal(t, []time.Duration{5 * time.Second, 30 * time.Second, 30 * time.Second}, []time.Duration{c.Timeout, c.ReadTimeout, c.WriteTimeout})
			require.Equal(t, "'+00:00'", c.Params["time_zone"])
			require.Contains(t, c.Params["sql_mode"], "STRICT_TRANS_TABLES")
		})
	}
}

func TestURLReadsPartsAsPythonDoes(t *testing.T) {
	t.Parallel()
	c, err := db.ParseURL("mysql+aiomysql://us%C3%A9r:100%#?x%zz+@[::1]:3307/re%20lay?connect_timeout=7&readTimeout=1m&tls=skip-verify")
	require.NoError(t, err)
	require.Equal(t, []string{"usér", "100%#?x%zz+", "[::1]:3307", "re lay"}, []string{c.User, c.Passwd, c.Addr, c.DBName})
	require.Equal(t, []time.Duration{7 * time.Second, time.Minute}, []time.Duration{c.Timeout, c.ReadTimeout})
	require.Equal(t, "skip-verify", c.TLSConfig)

	c, err = db.ParseURL("mysql://user@/relay?unix_socket=/run/mysqld/mysqld.sock")
	require.NoError(t, err)
	require.Equal(t, []string{"unix", "/run/mysqld/mysqld.sock"}, []string{c.Net, c.Addr})
}

func TestURLErrorsNameTheMistakeWithoutThePassword(t *testing.T) {
	t.Parallel()
	for raw, says := range map[string]string{
		"":                                             "empty",
		"postgres://user:s3cr3t@host/relay":            "postgres://",
		"mysql://user:s3cr3t@host":                     "no database",
		"mysql://user:s3cr3t@/relay":                   "no host",
		"mysql://user:s3cr3t@host:port/relay":          "port",
		"mysql://user:s3cr3t@host:99999/relay":         "port",
		"mysql://user:s3cr3t@x@host:3306/relay":        "%40",
		"mysql://user:s3cr3t@host/relay?ssl_ca=ca.pem": "ssl_ca",
		"mysql://user:s3cr3t@host/relay?timeout=soon":  "timeout",
		"user:s3cr3t@host(3306/relay":                  "expected",
		"user:s3cr3t(x":                                "neither",
		"s3cr3t":                                       "neither",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			_, err := db.ParseURL(raw)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cr3t")
			if !strings.HasPrefix(raw, "user:s3cr3t@host(") {
				require.ErrorContains(t, err, says)
			}
		})
	}
}
