package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Metric is one line of the table.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"` // "×" is a ratio to the floor
	Goals []Goal  `json:"goals,omitempty"`
}

// Goal is the target of a metric.
type Goal struct {
	Most  float64 `json:"most,omitempty"`
	Least float64 `json:"least,omitempty"`
	Met   bool    `json:"met"`
}

func atMost(n float64) Goal  { return Goal{Most: n} }
func atLeast(n float64) Goal { return Goal{Least: n} }

func (g Goal) String() string {
	text := "≥ " + number(g.Least)
	if g.Most > 0 {
		text = "≤ " + number(g.Most)
	}
	if !g.Met {
		text += " missed"
	}
	return text
}

// Result holds the measurements of a scenario.
type Result struct {
	Scenario string    `json:"scenario"`
	Title    string    `json:"title"`
	Began    time.Time `json:"began"`
	Took     float64   `json:"took_s"`
	Load     float64   `json:"load_at_start"` // runnable processes of other programs
	Revision string    `json:"revision,omitempty"`
	Metrics  []Metric  `json:"metrics"`
	Notes    []string  `json:"notes"`
}

// add appends a metric and compares it with its goal.
func (r *Result) add(name string, value float64, unit string, goals ...Goal) {
	for i := range goals {
		goals[i].Met = goals[i].Most > 0 && value <= goals[i].Most || goals[i].Least > 0 && value >= goals[i].Least
	}
	r.Metrics = append(r.Metrics, Metric{Name: name, Value: round(value), Unit: unit, Goals: goals})
}

func (r *Result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// round keeps four digits: more would be false precision.
func round(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// number prints three digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// quantile returns a quantile of values, by the nearest rank; 0 of none.
func quantile[T time.Duration | float64](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[max(0, min(rank, len(sorted)-1))]
}

func median[T time.Duration | float64](values []T) T { return quantile(values, 0.5) }

// ratios divides pair by pair: a disturbance of the machine affects both of a pair.
func ratios(of, to []time.Duration) []float64 {
	all := make([]float64, min(len(of), len(to)))
	for i := range all {
		all[i] = of[i].Seconds() / to[i].Seconds()
	}
	return all
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
