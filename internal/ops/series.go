package ops

import "time"

// Step is the length of one interval of a series.
type Step string

// The steps. A day begins at midnight UTC. Attempts alone are counted by minute.
const (
	StepMinute Step = "minute"
	StepHour   Step = "hour"
	StepDay    Step = "day"
)

// Begin returns the begin of the interval that a time is in.
func (s Step) Begin(t time.Time) time.Time { return t.UTC().Truncate(s.Length()) }

// Length returns the length of an interval.
func (s Step) Length() time.Duration {
	switch s {
	case StepMinute:
		return time.Minute
	case StepDay:
		return 24 * time.Hour
	}
	return time.Hour
}

// Dimension is the property by whose values a series is split into lines.
type Dimension string

// The dimensions of the stats.
const (
	ByOutcome     Dimension = "outcome"
	ByReason      Dimension = "reason"
	ByDestination Dimension = "destination"
	ByStorefront  Dimension = "storefront"
)

// SeriesQuery asks for counts over time. Without a destination, events are counted; with one, or by destination, the deliveries
// there. Zero fields ask for everything.
type SeriesQuery struct {
	From, To     time.Time // From is the begin of an interval; hours that begin before To count
	Step         Step
	By           Dimension
	StorefrontID int64
	Destination  string
	Outcomes     []string
}

// Times returns the begins of the intervals.
func (q SeriesQuery) Times() []time.Time {
	var times []time.Time
	for t := q.From; t.Before(q.To); t = t.Add(q.Step.Length()) {
		times = append(times, t)
	}
	return times
}

// MaxSeries is the limit of lines in a report.
const MaxSeries = 500

// SeriesReport holds counts over time, the line with the largest total first. Omitted counts the lines beyond MaxSeries. AsOf is
// when the newest hour was last counted.
type SeriesReport struct {
	Times   []time.Time
	Lines   []Series
	Omitted int
	AsOf    time.Time
}

// Series is one line: a count for each interval. The key is a value of the dimension: of a storefront its code, empty where it
// is unknown.
type Series struct {
	Key    string
	Total  int64
	Values []int64
}
