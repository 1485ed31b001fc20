package ops

import (
	"slices"
	"time"

	"relay/internal/relay"
)

// How long counts of attempts are kept: by minute, and by hour.
const (
	KeepAttemptMinutes = 7 * 24 * time.Hour
	KeepAttemptHours   = 92 * 24 * time.Hour
)

// attemptBounds are the upper bounds, in milliseconds, of the ranges in which the time of attempts is counted. A request has ten
// seconds.
var attemptBounds = []int{5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000}

// AttemptRange returns the upper bound of the range that a time is in. The last range has all longer ones.
func AttemptRange(took time.Duration) int {
	ms := int((took + time.Millisecond - 1) / time.Millisecond)
	at, _ := slices.BinarySearch(attemptBounds, ms)
	return attemptBounds[min(at, len(attemptBounds)-1)]
}

// AttemptKey is what attempts are counted by.
type AttemptKey struct {
	Minute      time.Time
	Storefront  string
	Destination string
	Outcome     relay.Outcome
	Status      int // of HTTP; 0 without a response
	Range       int // from AttemptRange
}

// AttemptsQuery asks for counts of attempts. Zero fields ask for everything.
type AttemptsQuery struct {
	From, To     time.Time
	ByHour       bool // counts by hour, which are kept longer
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
