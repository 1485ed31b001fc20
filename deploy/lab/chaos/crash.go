package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"relay/deploy/dev/harness"
)

// part is a process that can be killed and started again.
type part struct {
	kind  string
	kill  func()
	start func(context.Context) error
	stop  func() error // nil: a deploy does not replace it
}

func relayPart(kind string, r *harness.Relay) part {
	return part{kind: kind, kill: r.Kill, start: r.Start, stop: r.Stop}
}

// Crash records the kill of one part, or of two at once, and when all of them responded again.
type Crash struct {
	Kinds    []string
	At, Up   time.Time
	Recovery time.Duration // from Up to the first delivery of an event that had not been on the wire; 0: see Overtaken
	// Overtaken reports that the next crash came before that delivery.
	Overtaken bool
}

// kinds returns the killed processes of crashes, one by one.
func kinds(crashes []Crash) []string {
	var all []string
	for _, c := range crashes {
		all = append(all, c.Kinds...)
	}
	return all
}

// everyKind lists the parts that are killed: the processes, and the database's permission to write.
var everyKind = []string{"api", "worker", "serve", "database", "read-only", "Temporal"}

const (
	doubleShare  = 0.15                   // of the crashes kill two parts at once
	longestDown  = time.Second            // before a part is started again
	shortestRest = 200 * time.Millisecond // between a recovery and the next crash
)

// crash kills parts at random moments until the number of kills is reached, or the time has passed and every kind was killed
// once. Halfway it replaces API and worker by one process.
func (l *env) crash(ctx context.Context, random *rand.Rand, kills int, duration time.Duration) ([]Crash, error) {
	begin := time.Now()
	end := begin.Add(duration)
	var crashes []Crash
	var order []part
	apart, hit := true, map[string]bool{}
	for done := 0; done < kills; done = len(kinds(crashes)) {
		if apart && hit["api"] && hit["worker"] && (2*done >= kills || time.Since(begin) > duration/2) {
			if err := l.together(ctx); err != nil {
				return crashes, fmt.Errorf("replace API and worker by one process: %w", err)
			}
			apart, order = false, nil
		}
		if err := sleep(ctx, rest(random, crashes, time.Until(end), kills-done)); err != nil {
			return crashes, err
		}
		if time.Now().After(end) && len(hit) == len(everyKind) {
			break
		}
		if len(order) == 0 {
			order = l.shuffled(random) // all kinds, in another order
		}
		n := 1
		if len(order) > 1 && done+1 < kills && random.Float64() < doubleShare {
			n = 2
		}
		c, err := kill(ctx, random, order[:n])
		crashes, order = append(crashes, c), order[n:]
		for _, kind := range c.Kinds {
			hit[kind] = true
		}
		if err != nil {
			return crashes, err
		}
	}
	return crashes, sleep(ctx, time.Until(end))
}

// rest returns the time until the next crash: its share of the remaining time, less the duration of restarts so far, plus or
// minus 80 %.
func rest(random *rand.Rand, crashes []Crash, left time.Duration, kills int) time.Duration {
	var down time.Duration
	for _, c := range crashes {
		down += c.Up.Sub(c.At)
	}
	mean := max(0, left) / time.Duration(kills)
	if len(crashes) > 0 {
		mean -= down / time.Duration(len(crashes))
	}
	return max(shortestRest, time.Duration((0.2+1.6*random.Float64())*float64(mean)))
}

func (l *env) shuffled(random *rand.Rand) []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	order := append([]part{}, l.parts...)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// kill kills parts and restarts them after a moment, concurrently: one may need another.
func kill(ctx context.Context, random *rand.Rand, parts []part) (Crash, error) {
	c := Crash{At: time.Now()}
	for _, p := range parts {
		c.Kinds = append(c.Kinds, p.kind)
		p.kill()
	}
	if err := sleep(ctx, time.Duration(random.Float64()*float64(longestDown))); err != nil {
		return c, err
	}
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for i, p := range parts {
		all.Go(func() { errs[i] = p.start(ctx) })
	}
	all.Wait()
	c.Up = time.Now()
	return c, errors.Join(errs...)
}
