package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
)

// Settings of the pool. Connections are renewed regularly, so that a server behind a balancer receives its share again after
// a failover, and before a firewall drops idle ones.
const (
	defaultMaxOpen = 20
	connLifetime   = 10 * time.Minute
	connIdleTime   = 2 * time.Minute
)

// Config configures a Store. Keys may be nil if no secret is read or written, as when migrating.
type Config struct {
	URL     string // any form that ParseURL accepts
	Keys    *Keys
	MaxOpen int // maximum number of connections; 0 is 20
	// Wrap, if set, wraps the driver's connector.
	Wrap func(driver.Connector) driver.Connector
	// Log receives errors that are retried silently; nil discards them.
	Log *slog.Logger
}

// Store is the database. Its methods may be called from any goroutine.
type Store struct {
	config   *mysql.Config
	wrap     func(driver.Connector) driver.Connector
	sql      *sql.DB
	bun      *bun.DB
	keys     *Keys
	prepared *prepared
	log      *notices
	writes   writeCheck

	// Concurrent writes of deliveries are committed in groups.
	takes    *group[*taking]
	records  *group[*recording]
	ends     *group[*completing]
	waits    *group[*waiting]
	finishes *group[*finishing]
	wholes   *group[*concluding]
}

// Open returns a Store without connecting: the first call fails if the server is down.
func Open(c Config) (*Store, error) {
	config, err := ParseURL(c.URL)
	if err != nil {
		return nil, err
	}
	keys := c.Keys
	if keys == nil {
		keys = &Keys{}
	}
	maxOpen := c.MaxOpen
	if maxOpen <= 0 {
		maxOpen = defaultMaxOpen
	}
	pool, err := newPool(config, maxOpen, c.Wrap)
	if err != nil {
		return nil, err
	}
	log := &notices{log: c.Log}
	s := &Store{config: config, wrap: c.Wrap, sql: pool, bun: newBun(pool), keys: keys, log: log,
		prepared: &prepared{pool: pool, log: log}}
	s.takes = newGroup(transactionPays, s.takeOne, s.takeMany)
	s.records = newGroup(2, s.recordOne, s.recordMany)
	s.ends = newGroup(2, s.completeOne, s.completeMany)
	s.waits = newGroup(transactionPays, s.waitOne, s.waitMany)
	s.finishes = newGroup(transactionPays, s.finishOne, s.finishMany)
	s.wholes = newGroup(transactionPays, s.concludeOne, s.concludeMany)
	return s, nil
}

// transactionPays is the number of rows from which on a transaction of five round trips is cheaper than one statement per
// row.
const transactionPays = 4

func newPool(config *mysql.Config, maxOpen int, wrap func(driver.Connector) driver.Connector) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errors.New("database url: the driver refuses its settings")
	}
	if wrap != nil {
		connector = wrap(connector)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(maxOpen)
	pool.SetMaxIdleConns(maxOpen)
	pool.SetConnMaxLifetime(connLifetime)
	pool.SetConnMaxIdleTime(connIdleTime)
	return pool, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.prepared.close()
	return s.sql.Close()
}

// Ping reports whether the server responds.
func (s *Store) Ping(ctx context.Context) error {
	return wrap("ping the database", s.sql.PingContext(ctx))
}

// lazyDialect is bun's dialect without the query for the server's version, which would wait for a server that is down, and
// would enable RETURNING, which MySQL does not have.
type lazyDialect struct{ *mysqldialect.Dialect }

// Init sends no query.
func (lazyDialect) Init(*sql.DB) {}

func newBun(pool *sql.DB) *bun.DB {
	return bun.NewDB(pool, lazyDialect{mysqldialect.New(mysqldialect.WithTimeLocation("UTC"))})
}

// wrap adds the failed operation and translates the error; nil stays nil.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, translate(err))
}
