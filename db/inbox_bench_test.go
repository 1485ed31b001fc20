package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// BenchmarkInsertEvents compares the inbox with the bare multi-row INSERT of the same rows, both in one transaction of
// statements of 1,000 rows, in the same run: their ratio is the metric.
func BenchmarkInsertEvents(b *testing.B) {
	const batch = 4000
	for _, share := range []int{0, 40, batch} {
		b.Run(fmt.Sprintf("%d of %d there", share, batch), func(b *testing.B) {
			f := migrated(b)
			bosley := f.storefront("bosley")
			f.fill(bosley, 100_000)
			n := 1_000_000
			var ours, bare []time.Duration
			for b.Loop() {
				events := benchEvents(n, batch, bosley)
				if share > 0 {
					f.insert(events[:share])
				}
				start := time.Now()
				f.insert(events)
				ours = append(ours, time.Since(start))
				n += batch
				start = time.Now()
				f.bareInsert(benchEvents(n, batch, bosley))
				bare = append(bare, time.Since(start))
				n += batch
			}
			o, r := median(ours), median(bare)
			b.ReportMetric(o.Seconds()*1000, "ms/batch")
			b.ReportMetric(r.Seconds()*1000, "ms/bare")
			b.ReportMetric(o.Seconds()/r.Seconds(), "ratio")
		})
	}
}

// median excludes the effect of other programs on the machine.
func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// benchEvents are items of 0.6 kB.
func benchEvents(from, n int, storefrontID int64) []relay.NewEvent {
	events := newEvents(from, from+n, storefrontID, "bosley")
	for i := range events {
		events[i].Payload = append(events[i].Payload, strings.Repeat(" ", 600-len(events[i].Payload))...)
		events[i].Leased = i < 200
	}
	return events
}

func (f *fixture) fill(storefrontID int64, rows int) {
	f.t.Helper()
	for n := 0; n < rows; n += 5000 {
		f.insert(benchEvents(n, 5000, storefrontID))
	}
	f.exec("UPDATE marketing_events SET status = 'delivered'")
}

// bareInsert is the baseline: the driver, the statement, and nothing else.
func (f *fixture) bareInsert(events []relay.NewEvent) {
	f.t.Helper()
	tx, err := f.relayRaw().BeginTx(f.t.Context(), nil)
	require.NoError(f.t, err)
	for start := 0; start < len(events); start += 1000 {
		var args []any
		for _, e := range events[start : start+1000] {
			args = append(args, e.EventID, e.StorefrontID, e.StorefrontCode, e.Type, e.Payload, e.OrderID, e.Digest[:])
		}
		_, err := tx.ExecContext(f.t.Context(), `INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload,
			source_system, status, order_id, payload_digest) VALUES `+
			strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,'oms','pending',?,?),", 1000), ","), args...)
		require.NoError(f.t, err)
	}
	require.NoError(f.t, tx.Commit())
}
