package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"relay/db"
	"relay/deploy/dev/harness"
)

// statementRows is how many rows of a batch the relay inserts with one statement.
const statementRows = 1000

// ingest times batches over loopback against the same rows inserted by the driver alone, alternating, into the same table.
// The relay has the api role: accepted rows stay, and nothing drains meanwhile.
func ingest(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{role: "api"})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	bare, err := newBareInsert(ctx, l)
	if err != nil {
		return err
	}
	defer func() { _ = bare.pool.Close() }()
	var ours, floor []time.Duration
	var used, usedBare usage
	for round := range r.sizes.Rounds + 1 {
		items := l.items("a", r.sizes.Batch)
		batch := harness.Batch(items...)
		before, err := l.usage(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := l.send(ctx, batch, len(items)); err != nil {
			return err
		}
		took := time.Since(began)
		after, err := l.usage(ctx)
		if err != nil {
			return err
		}
		if err := l.settle(ctx); err != nil { // the first deliveries of the batch are started off the request
			return err
		}
		inserted, bareUsage, err := l.bareRound(ctx, bare, r.sizes.Batch)
		if err != nil {
			return err
		}
		if round > 0 { // the first warms up
			ours, floor = append(ours, took), append(floor, inserted)
			used, usedBare = used.plus(after.since(before)), usedBare.plus(bareUsage)
		}
	}
	res := r.result
	ratio := median(ratios(ours, floor))
	res.add("time, relay / bare INSERT", ratio, "×", atMost(1.5))
	res.add("rate, relay / bare INSERT", 1/ratio, "×", atLeast(0.8))
	res.add("batch acknowledged, median", ms(median(ours)), "ms")
	res.add("bare INSERT, median", ms(median(floor)), "ms")
	res.add("events acknowledged a second", float64(r.sizes.Batch)/median(ours).Seconds(), "/s")
	res.perEvent(" (until the answer)", used, r.sizes.Batch*len(ours), partRelay, partDatabase)
	res.perEvent(", bare INSERT", usedBare, r.sizes.Batch*len(ours), partDatabase)
	res.note("%d rounds of %d events of about %d bytes, in turn; statements of %d rows in one transaction on both sides; every commit synced.",
		len(ours), r.sizes.Batch, itemBytes, statementRows)
	return nil
}

// bareRound runs one bare INSERT and returns its usage.
func (l *env) bareRound(ctx context.Context, b *bareInsert, n int) (time.Duration, usage, error) {
	items := l.items("a", n)
	before, err := l.usage(ctx)
	if err != nil {
		return 0, before, err
	}
	took, err := b.insert(ctx, items)
	if err != nil {
		return 0, before, err
	}
	after, err := l.usage(ctx)
	return took, after.since(before), err
}

// bareInsert is the driver, the statement, and nothing else.
type bareInsert struct {
	pool       *sql.DB
	storefront int64
}

func newBareInsert(ctx context.Context, l *env) (*bareInsert, error) {
	c, err := db.ParseURL(l.DatabaseURL()) // the relay's own settings of the driver
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return nil, err
	}
	b := &bareInsert{pool: pool}
	return b, pool.QueryRowContext(ctx, "SELECT id FROM storefronts WHERE storefront_id = 'a'").Scan(&b.storefront)
}

// insert inserts the rows that the relay would insert for these items, and returns the time without building the statements.
func (b *bareInsert) insert(ctx context.Context, items []harness.Item) (time.Duration, error) {
	var statements []string
	var args [][]any
	for start := 0; start < len(items); start += statementRows {
		statement, values, err := b.statement(items[start:min(start+statementRows, len(items))])
		if err != nil {
			return 0, err
		}
		statements, args = append(statements, statement), append(args, values)
	}
	began := time.Now()
	tx, err := b.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once committed
	for i, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, args[i]...); err != nil {
			return 0, err
		}
	}
	err = tx.Commit()
	return time.Since(began), err
}

func (b *bareInsert) statement(items []harness.Item) (string, []any, error) {
	var query strings.Builder
	query.WriteString(`INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload,
		source_system, status, order_id, payload_digest, claimed_until) VALUES `)
	var args []any
	for i, item := range items {
		payload, err := json.Marshal(item)
		if err != nil {
			return "", nil, err
		}
		digest := sha256.Sum256(payload)
		if i > 0 {
			query.WriteByte(',')
		}
		fmt.Fprintf(&query, "(?,?,?,?,?,'oms','delivered',?,X'%s',DEFAULT)", hex.EncodeToString(digest[:]))
		args = append(args, item["order_id"], b.storefront, item["storefront_id"], eventType, payload, item["order_id"])
	}
	return query.String(), args, nil
}
