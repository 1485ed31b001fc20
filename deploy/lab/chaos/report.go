package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

// Report holds the measurements of all rounds.
type Report struct {
	Machine, Database string
	Began             time.Time
	Took              time.Duration
	Seed              uint64
	Rounds            []Round
}

// Round holds the events and measurements of one fresh system.
type Round struct {
	Number    int
	FaultRate float64 // share of Temporal's storage calls that failed
	Crashes   []Crash
	Settled   Settled
	Verdict   Verdict

	database string
}

// Settled describes the end of a round, when it became idle.
type Settled struct {
	After    time.Duration  // since the end of load and kills
	Failures map[string]int // events that had failed by then, by detail; a replay followed
}

func (s Settled) failed() int {
	n := 0
	for _, events := range s.Failures {
		n += events
	}
	return n
}

// String returns the report as tables of Markdown.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s. %s UTC, %d rounds in %s, seed %d.\n\n", r.Machine, r.Database, r.Began.UTC().Format("2006-01-02 15:04"),
		len(r.Rounds), r.Took.Round(time.Second), r.Seed)
	r.outcomes(&b)
	b.WriteString("\n")
	r.failures(&b)
	r.kills(&b)
	return b.String()
}

func (r Report) outcomes(b *strings.Builder) {
	b.WriteString("| round | Temporal's storage | kills | accepted | delivered | failed at rest | lost | attempt rows | requests at the destinations | rows without a request | duplicates | of them killed between send and record | of them response lost or late | unexplained | longest recovery | at rest after |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	var all Verdict
	all.ByStatus = map[relay.Status]int{}
	var crashes []Crash
	var failed, unexplained, lost int
	for _, x := range r.Rounds {
		v := x.Verdict
		storage := "sound"
		if x.FaultRate > 0 {
			storage = fmt.Sprintf("%.0f %% of calls fail", 100*x.FaultRate)
		}
		line(b, fmt.Sprint(x.Number), storage, x.Crashes, v, x.Settled.failed(), v.Lost(), len(v.Unexplained), x.Settled.After.Round(time.Second).String())
		crashes = append(crashes, x.Crashes...)
		all.Accepted, all.Sends, all.Copies = all.Accepted+v.Accepted, all.Sends+v.Sends, all.Copies+v.Copies
		all.Requests, all.Unsent = all.Requests+v.Requests, all.Unsent+v.Unsent
		all.KilledBetween, all.NoResponse = all.KilledBetween+v.KilledBetween, all.NoResponse+v.NoResponse
		all.ByStatus[relay.StatusDelivered] += v.ByStatus[relay.StatusDelivered]
		failed, unexplained, lost = failed+x.Settled.failed(), unexplained+len(v.Unexplained), lost+v.Lost()
	}
	line(b, "**all**", "", crashes, all, failed, lost, unexplained, "")
}

// failures returns a table of the events that had failed when a round became idle.
func (r Report) failures(b *strings.Builder) {
	all := map[string]int{}
	for _, x := range r.Rounds {
		for detail, events := range x.Settled.Failures {
			all[detail] += events
		}
	}
	if len(all) == 0 {
		return
	}
	b.WriteString("| failed at rest, until the replay | events |\n|---|---:|\n")
	for _, detail := range slices.SortedFunc(maps.Keys(all), func(x, y string) int { return cmp.Or(all[y]-all[x], strings.Compare(x, y)) }) {
		fmt.Fprintf(b, "| %s | %d |\n", detail, all[detail])
	}
	b.WriteString("\n")
}

func line(b *strings.Builder, name, storage string, crashes []Crash, v Verdict, failed, lost, unexplained int, rest string) {
	longest, _ := longest(crashes)
	fmt.Fprintf(b, "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s | %s |\n", name, storage, len(kinds(crashes)), v.Accepted,
		v.ByStatus[relay.StatusDelivered], failed, lost, v.Sends, v.Requests, v.Unsent, v.Copies, v.KilledBetween, v.NoResponse, unexplained, seconds(longest), rest)
}

// kills returns a table of recoveries by killed part.
func (r Report) kills(b *strings.Builder) {
	var crashes []Crash
	for _, x := range r.Rounds {
		crashes = append(crashes, x.Crashes...)
	}
	b.WriteString("| killed | kills | down, median | recovery, median | recovery, longest | not measured: the next crash came first |\n|---|---:|---:|---:|---:|---:|\n")
	for _, kind := range everyKind {
		r.killed(b, kind, slices.DeleteFunc(slices.Clone(crashes), func(c Crash) bool { return len(c.Kinds) > 1 || c.Kinds[0] != kind }))
	}
	r.killed(b, "two at once", slices.DeleteFunc(slices.Clone(crashes), func(c Crash) bool { return len(c.Kinds) < 2 }))
}

func (Report) killed(b *strings.Builder, kind string, crashes []Crash) {
	var down, up []time.Duration
	for _, c := range crashes {
		down = append(down, c.Up.Sub(c.At))
		if !c.Overtaken {
			up = append(up, c.Recovery)
		}
	}
	most, overtaken := longest(crashes)
	fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %d |\n", kind, len(kinds(crashes)), seconds(median(down)), seconds(median(up)), seconds(most), overtaken)
}

func longest(crashes []Crash) (most time.Duration, overtaken int) {
	for _, c := range crashes {
		most = max(most, c.Recovery)
		if c.Overtaken {
			overtaken++
		}
	}
	return most, overtaken
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// describeMachine describes the machine in neutral terms.
func describeMachine() string {
	s := fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib float64
		if _, err := fmt.Sscanf(string(raw), "MemTotal: %f kB", &kib); err == nil {
			s += fmt.Sprintf(", %.0f GB of memory", math.Ceil(kib/(1<<20)))
		}
	}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		s += ", load average at the start " + strings.Fields(string(raw))[0]
	}
	return s + ", " + runtime.Version()
}

// Kinds returns the parts that were killed at least once.
func (r Report) Kinds() []string {
	var all []string
	for _, x := range r.Rounds {
		all = append(all, kinds(x.Crashes)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
