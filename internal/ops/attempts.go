package ops

import (
	"slices"
	"time"

	"relay/internal/relay"
)

// AttemptSteps are the steps by which attempts are counted, the shortest first. Each attempt counts in all of them, so that a short
// step is deleted soon: with 1,500 busy destinations a day has 13 million rows by minute, 300,000 by hour and 20,000 by day.
func AttemptSteps() []Step { return []Step{StepMinute, StepHour, StepDay} }

// KeepAttempts returns how long after its end an interval of counts is kept.
func KeepAttempts(s Step) time.Duration {
	return map[Step]time.Duration{StepMinute: aDay, StepHour: 8 * aDay, StepDay: 92 * aDay}[s]
}

const aDay = 24 * time.Hour

// attemptWindow is the longest window that is counted by a step. So about a million rows are read at most, of all 1,500 destinations.
var attemptWindow = map[Step]time.Duration{StepMinute: 2 * time.Hour, StepHour: 3 * aDay}

// AttemptStep returns the step by which a window is counted: a short one, for exact ends, as long as the window has few intervals of
// it and all of them are kept.
func AttemptStep(from, to, now time.Time) Step {
	for _, step := range []Step{StepMinute, StepHour} {
		if to.Sub(from) <= attemptWindow[step] && now.Sub(from) <= KeepAttempts(step) {
			return step
		}
	}
	return StepDay
}

// attemptBounds are the upper bounds, in milliseconds, of the ranges in which the time of attempts is counted. A request has ten
// seconds.
var attemptBounds = []int{5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000}

// AttemptRange returns the upper bound of the range that a time is in. The last range has all longer ones.
func AttemptRange(took time.Duration) int {
	ms := int((took + time.Millisecond - 1) / time.Millisecond)
	at, _ := slices.BinarySearch(attemptBounds, ms)
	return attemptBounds[min(at, len(attemptBounds)-1)]
}

// AttemptKey is the key by which attempts are counted.
type AttemptKey struct {
	Minute      time.Time
	Storefront  string
	Destination string
	Outcome     relay.Outcome
	Status      int // of HTTP; 0 without a response
	Range       int // from AttemptRange
}

// AttemptPlace is a storefront's destination, by its code.
type AttemptPlace struct{ Storefront, Destination string }

// LastAttempts are the times of the latest attempt at a destination and of the latest accepted one; zero is none.
type LastAttempts struct{ Attempt, Accepted time.Time }

// Or returns the later times of both.
func (l LastAttempts) Or(m LastAttempts) LastAttempts {
	if m.Attempt.After(l.Attempt) {
		l.Attempt = m.Attempt
	}
	if m.Accepted.After(l.Accepted) {
		l.Accepted = m.Accepted
	}
	return l
}

// AttemptsQuery asks for counts of attempts. Zero fields ask for everything.
type AttemptsQuery struct {
	From, To     time.Time
	Step         Step
	StorefrontID int64
	Destination  string
}

// AttemptStats counts the attempts at one destination of a storefront, or at all of them.
type AttemptStats struct {
	Storefront, Destination string
	N                       int64
	Outcomes                map[relay.Outcome]int64
	Statuses                map[int]int64
	ranges                  map[int]int64
}

// NewAttemptStats counts nothing yet.
func NewAttemptStats(storefront, destination string) AttemptStats {
	return AttemptStats{Storefront: storefront, Destination: destination, Outcomes: map[relay.Outcome]int64{}, Statuses: map[int]int64{}, ranges: map[int]int64{}}
}

// Add counts n attempts.
func (s *AttemptStats) Add(outcome relay.Outcome, status, le int, n int64) {
	s.N += n
	s.Outcomes[outcome] += n
	s.Statuses[status] += n
	s.ranges[le] += n
}

// Failed counts the attempts that were not accepted.
func (s *AttemptStats) Failed() int64 { return s.N - s.Outcomes[relay.Accepted] }

// Percentile returns the time, in milliseconds, within which a share of the attempts ended: 0.95 for the 95th percentile. Within a
// range attempts count as spread evenly. It is 0 without attempts.
func (s *AttemptStats) Percentile(share float64) float64 {
	rank, below, low := share*float64(s.N), int64(0), 0
	for _, bound := range attemptBounds {
		n := s.ranges[bound]
		if n > 0 && float64(below+n) >= rank {
			return float64(low) + float64(bound-low)*(rank-float64(below))/float64(n)
		}
		below, low = below+n, bound
	}
	return 0
}
