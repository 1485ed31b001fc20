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

	"relay/internal/relay"
)

// The pool's numbers. Connections are renewed now and then, so that a server behind a balancer gets its share again after
// a failover, and before a firewall forgets the idle ones.
const (
	defaultMaxOpen = 20
	connLifetime   = 10 * time.Minute
	connIdleTime   = 2 * time.Minute
)

// Config says how to reach the database. Keys may be nil where no secret is read or written, as when migrating.
type Config struct {
	URL     string // any form that ParseURL takes
	Keys    *Keys
	MaxOpen int // connections at most; 0 is 20
	// Wrap, where it is set, stands between the pool and the driver.
	Wrap func(driver.Connector) driver.Connector
	// Log is told of what is retried in silence; nil is nobody.
	Log *slog.Logger
}

// Store is the database. Its methods may be called from any goroutine.
type Store struct {
	config *mysql.Config
	wrap   func(driver.Connector) driver.Connector
	sql    *sql.DB
	bun    *bun.DB
	keys   *Keys
	lane   *prepared
	log    *notices
	writes writeCheck

	// What concurrent deliveries write is committed in groups.
	takes    *group[*taking]
	records  *group[*relay.Attempt]
	ends     *group[*relay.AttemptEnd]
	waits    *group[*waiting]
	finishes *group[*finishing]
}

// Open makes a Store without connecting: a server that is down shows at the first call.
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
		lane: &prepared{pool: pool, log: log}}
	s.takes = newGroup(transactionPays, s.takeOne, s.takeMany)
	s.records = newGroup(2, s.recordOne, s.recordMany)
	s.ends = newGroup(2, s.completeOne, s.completeMany)
	s.waits = newGroup(transactionPays, s.waitOne, s.waitMany)
	s.finishes = newGroup(transactionPays, s.finishOne, s.finishMany)
	return s, nil
}

// transactionPays is from how many rows on a transaction of five round trips costs less than a statement for each.
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
	s.lane.close()
	return s.sql.Close()
}

// Ping asks whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	return fail("ping the database", s.sql.PingContext(ctx))
}

// lazyDialect is bun's dialect without the question for the server's version at the start, which would wait for a server
// that is down, and would switch on RETURNING, which MySQL does not have.
type lazyDialect struct{ *mysqldialect.Dialect }

// Init asks nothing.
func (lazyDialect) Init(*sql.DB) {}

func newBun(pool *sql.DB) *bun.DB {
	return bun.NewDB(pool, lazyDialect{mysqldialect.New(mysqldialect.WithTimeLocation("UTC"))})
}

// fail names the act that failed and translates the reason; nil stays nil.
func fail(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", act, translate(err))
}
