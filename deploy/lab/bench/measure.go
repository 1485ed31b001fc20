package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux counts a process's CPU time (USER_HZ).
const tick = 10 * time.Millisecond

// cpuOf returns the CPU time that a process has used, all its threads together.
func cpuOf(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in brackets, may contain anything; fields 14 and 15 are user and system time.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc: a stat file of an unknown form")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// residentOf returns a process's resident memory in MiB.
func residentOf(pid int) (float64, error) {
	kib, err := strconv.ParseFloat(strings.TrimSuffix(fileValue(fmt.Sprintf("/proc/%d/status", pid), "VmRSS", ":"), " kB"), 64)
	return kib / 1024, err
}

// usage is the usage of the parts so far.
type usage struct {
	cpu        map[string]time.Duration // by part
	statements map[string]int64         // by kind
	calls      map[string]int64         // of Temporal, by method
}

// usage reads the meters.
func (l *env) usage(ctx context.Context) (usage, error) {
	u := usage{cpu: map[string]time.Duration{}}
	for name, pid := range l.pids() {
		var err error
		if u.cpu[name], err = cpuOf(pid); err != nil {
			return u, err
		}
	}
	var err error
	u.statements, err = statements(ctx, l.database)
	if err != nil {
		return u, err
	}
	for _, kind := range []string{"Questions", "Com_select"} {
		u.statements[kind] -= l.asked
	}
	u.calls, err = l.Temporal.Calls(ctx)
	return u, err
}

// since returns the usage between an earlier reading and this one.
func (u usage) since(earlier usage) usage {
	return usage{
		cpu:        combine(u.cpu, earlier.cpu, -1),
		statements: combine(u.statements, earlier.statements, -1),
		calls:      combine(u.calls, earlier.calls, -1),
	}
}

// plus adds another usage.
func (u usage) plus(other usage) usage {
	return usage{
		cpu:        combine(u.cpu, other.cpu, 1),
		statements: combine(u.statements, other.statements, 1),
		calls:      combine(u.calls, other.calls, 1),
	}
}

// combine adds the factor's multiple of b to a.
func combine[T time.Duration | int64](a, b map[string]T, factor T) map[string]T {
	sum := make(map[string]T, max(len(a), len(b)))
	maps.Copy(sum, a)
	for name, v := range b {
		sum[name] += factor * v
	}
	return sum
}

// sum returns the CPU time of all parts.
func (u usage) sum() time.Duration {
	var sum time.Duration
	for _, cpu := range u.cpu {
		sum += cpu
	}
	return sum
}

// perEvent adds lines for the usage per event, of the parts named.
func (r *Result) perEvent(what string, u usage, n int, parts ...string) {
	add := func(part string, cpu time.Duration) {
		one := cpu.Seconds() / float64(n)
		if one < 1e-4 {
			r.add("CPU per event, "+part+what, one*1e6, "µs")
			return
		}
		r.add("CPU per event, "+part+what, one*1e3, "ms")
	}
	var sum time.Duration
	for _, name := range parts {
		add(name, u.cpu[name])
		sum += u.cpu[name]
	}
	if len(parts) > 1 {
		add("together", sum)
	}
}

// statementsPerEvent adds a line for the SQL statements.
func (r *Result) statementsPerEvent(u usage, n int) {
	share := func(kind string) float64 { return float64(u.statements[kind]) / float64(n) }
	r.add("SQL statements per event", share("Questions"), "")
	r.note("Statements per event: %s SELECT, %s INSERT, %s UPDATE, %s COMMIT.", number(share("Com_select")),
		number(share("Com_insert")), number(share("Com_update")), number(share("Com_commit")))
}

// callsPerEvent adds a line for the calls of Temporal.
func (r *Result) callsPerEvent(what string, u usage, n int) {
	var sum int64
	var words []string
	for _, method := range slices.Sorted(maps.Keys(u.calls)) {
		sum += u.calls[method]
		if share := float64(u.calls[method]) / float64(n); share >= 0.01 {
			words = append(words, number(share)+" "+method)
		}
	}
	r.add("Temporal calls per event"+what, float64(sum)/float64(n), "")
	r.note("Temporal calls per event%s: %s.", what, strings.Join(words, ", "))
}

// statements are the server's own counters.
func statements(ctx context.Context, database *sql.DB) (map[string]int64, error) {
	rows, err := database.QueryContext(ctx, `SHOW GLOBAL STATUS WHERE Variable_name IN
		('Questions', 'Com_select', 'Com_insert', 'Com_update', 'Com_commit', 'Com_begin')`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int64{}
	for rows.Next() {
		var kind string
		var n int64
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, err
		}
		counts[kind] = n
	}
	return counts, rows.Err()
}

// settle waits until the parts are idle, so that earlier work does not count in the next measurement. After its bound it
// continues anyway.
func (l *env) settle(ctx context.Context) error {
	const look, quiet, bound = 200 * time.Millisecond, 0.2, 20 * time.Second
	last, err := l.cpu()
	for end := time.Now().Add(bound); err == nil && time.Now().Before(end); {
		if err := sleep(ctx, look); err != nil {
			return err
		}
		var now time.Duration
		now, err = l.cpu()
		if (now - last).Seconds() < quiet*look.Seconds() {
			return err
		}
		last = now
	}
	return err
}

// cpu returns the CPU time of all parts.
func (l *env) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range l.pids() {
		one, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
