package db_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/internal/relay"
)

// BenchmarkDelivery runs all statements of a delivery with one destination and one attempt, one delivery at a time and many
// concurrently, on a server that syncs every commit. CPU time is the metric to compare; Linux only.
func BenchmarkDelivery(b *testing.B) {
	server, err := dbtest.Start(b.Context(), dbtest.Config{Dir: b.TempDir(), Durable: true})
	require.NoError(b, err)
	b.Cleanup(func() { _ = server.Stop() })
	for _, atOnce := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d at once", atOnce), func(b *testing.B) {
			f, ids := pendingEvents(b, server, max(b.N, atOnce))
			var questions [2]int
			var name string
			f.scan("SHOW GLOBAL STATUS LIKE 'Questions'", nil, &name, &questions[0])
			ours, theirs := ownCPU(b), cpuOf(b, server.Pid())
			b.ResetTimer()
			var all sync.WaitGroup
			work := make(chan int64)
			for range atOnce {
				all.Go(func() {
					for id := range work {
						f.deliverOnce(id)
					}
				})
			}
			for _, id := range ids[:b.N] {
				work <- id
			}
			close(work)
			all.Wait()
			b.StopTimer()
			f.scan("SHOW GLOBAL STATUS LIKE 'Questions'", nil, &name, &questions[1])
			n := float64(b.N)
			b.ReportMetric(float64((ownCPU(b)-ours).Microseconds())/n, "own-µs/op")
			b.ReportMetric(float64((cpuOf(b, server.Pid())-theirs).Microseconds())/n, "server-µs/op")
			b.ReportMetric(float64(questions[1]-questions[0])/n, "statements/op")
		})
	}
}

// pendingEvents returns a database with a storefront, its container, and n events.
func pendingEvents(b *testing.B, server *dbtest.Server, n int) (*fixture, []int64) {
	b.Helper()
	name := fmt.Sprintf("lane_%d", time.Now().UnixNano())
	require.NoError(b, server.CreateDatabase(b.Context(), name))
	keys, err := db.NewKeys(testKey)
	require.NoError(b, err)
	store, err := db.Open(db.Config{URL: server.DSN(name), Keys: keys})
	require.NoError(b, err)
	b.Cleanup(func() { _ = store.Close() })
	f := &fixture{Seed: seed.On(store), t: b, dsn: server.DSN(name), raw: open(b, server.DSN(name))}
	_, err = store.Up(b.Context())
	require.NoError(b, err)
	bosley := f.storefront("bosley")
	require.NoError(b, seed.On(store).PutSGTM(b.Context(), bosley, theContainer))
	var ids []int64
	for start := 0; start < n; start += 1000 {
		for _, s := range f.insert(benchEvents(start, min(1000, n-start), bosley)) {
			ids = append(ids, s.ID)
		}
	}
	return f, ids
}

// deliverOnce runs the statements of one delivery in order.
func (f *fixture) deliverOnce(id int64) {
	ctx, run := f.t.Context(), "run-"+strconv.FormatInt(id, 10)
	taken, err := f.Take(ctx, id, run)
	require.NoError(f.t, err)
	require.True(f.t, taken)
	_, err = f.Switches(ctx, id)
	require.NoError(f.t, err)
	d, err := f.Delivery(ctx, id, run, relay.SGTM)
	require.NoError(f.t, err)
	require.True(f.t, d.Owned)
	attempt := fmt.Sprintf("%032d", id)
	require.NoError(f.t, f.RecordSending(ctx, relay.Attempt{AttemptID: attempt, EventID: id, Destination: relay.SGTM, Number: 1,
		StartedAt: time.Now(), Method: "POST", URL: "https://tags.example.com/mp/collect", HeaderNames: []string{"Content-Type"},
		Body: strings.Repeat("x", 500), BodySHA256: strings.Repeat("0", 64), AdapterVersion: "1"}))
	require.NoError(f.t, f.CompleteAttempts(ctx, []relay.AttemptEnd{{AttemptID: attempt, Duration: time.Millisecond,
		Result: relay.Result{Outcome: relay.Accepted, Status: 200}}}))
	require.NoError(f.t, f.Finish(ctx, id, run, relay.EventOutcome{Status: relay.StatusDelivered,
		Ends: []relay.DeliveryResult{{Destination: relay.SGTM, Outcome: relay.Accepted, Status: 200}}}))
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
