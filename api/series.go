package api

import (
	"context"
	"time"

	"relay/internal/ops"
)

// seriesHours is the longest window with a count for each hour.
const seriesHours = 31 * 24 * time.Hour

type seriesInput struct {
	Storefront  string        `query:"storefront" maxLength:"50" example:"bosley" doc:"The storefront's code; all if missing."`
	Destination string        `query:"destination" maxLength:"50" pattern:"^[A-Za-z0-9_-]*$" example:"sgtm" doc:"Counts the deliveries there: sgtm, or a platform's code. Without it events are counted."`
	From        time.Time     `query:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window, taken to the begin of its step; 24 hours ago if missing."`
	To          time.Time     `query:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window; now if missing. At most 31 days after from by hour, 92 by day."`
	Step        ops.Step      `query:"step" enum:"hour,day" default:"hour" example:"hour" doc:"The length of an interval. Days begin at midnight UTC."`
	By          ops.Dimension `query:"by" enum:"outcome,reason,destination,storefront" default:"outcome" example:"outcome" doc:"What has a series for each value: reason counts what failed or was skipped; storefront counts what was received; destination counts deliveries."`
	Outcome     []string      `query:"outcome" enum:"received,open,delivered,failed,skipped" maxItems:"5" example:"failed" doc:"Counts these outcomes only, several with commas between. Deliveries have no received and no open."`
}

// SeriesView holds counts over time.
type SeriesView struct {
	From    time.Time     `json:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window: that of its first interval."`
	To      time.Time     `json:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window. Hours that begin before it count whole."`
	Step    ops.Step      `json:"step" enum:"hour,day" example:"hour" doc:"The length of an interval."`
	By      ops.Dimension `json:"by" enum:"outcome,reason,destination,storefront" example:"outcome" doc:"What has a series for each value."`
	AsOf    *time.Time    `json:"as_of,omitempty" example:"2026-01-15T23:59:30Z" doc:"When the newest hour was counted: counts are up to a minute old. Missing before the first count."`
	Times   []time.Time   `json:"times" nullable:"false" doc:"The begins of the intervals."`
	Series  []SeriesLine  `json:"series" nullable:"false" doc:"The series, the largest total first, 500 at most. What counted nothing is missing."`
	Omitted int           `json:"series_omitted" example:"0" doc:"Number of further series."`
}

// SeriesLine is one series.
type SeriesLine struct {
	Key    string  `json:"key" example:"delivered" doc:"The outcome, reason, destination, or code of the storefront. It is empty for the storefront of events that have no known one."`
	Total  int64   `json:"total" example:"330" doc:"The sum of the window."`
	Values []int64 `json:"values" nullable:"false" doc:"The counts, one for each of times."`
}

type seriesOutput struct{ Body SeriesView }

func (h opsHandlers) series(ctx context.Context, in *seriesInput) (*seriesOutput, error) {
	longest, words := statsWindow, "must be before to, by 92 days at most"
	if in.Step == ops.StepHour {
		longest, words = seriesHours, "must be before to, by 31 days at most where the step is an hour"
	}
	from, to, err := window(in.From, in.To, longest, words)
	if err != nil {
		return nil, err
	}
	id, err := h.storefrontID(ctx, in.Storefront, "storefront")
	if err != nil {
		return nil, err
	}
	q := ops.SeriesQuery{From: in.Step.Begin(from), To: to, Step: in.Step, By: in.By, StorefrontID: id, Destination: in.Destination, Outcomes: in.Outcome}
	r, err := h.Events.Series(ctx, q)
	if err != nil {
		return nil, err
	}
	v := SeriesView{From: q.From, To: q.To, Step: q.Step, By: q.By, AsOf: timeOrNone(r.AsOf), Times: r.Times, Series: []SeriesLine{}, Omitted: r.Omitted}
	for _, line := range r.Lines {
		v.Series = append(v.Series, SeriesLine(line))
	}
	return &seriesOutput{v}, nil
}

// window returns the window of a request for stats: the last 24 hours where it names none.
func window(from, to time.Time, longest time.Duration, words string) (time.Time, time.Time, error) {
	from, to = from.UTC(), to.UTC()
	if to.IsZero() {
		to = time.Now().UTC()
	}
	if from.IsZero() {
		from = to.Add(-statsDefault)
	}
	if err := checkTimes(codeInvalidParameter, "", from, to); err != nil {
		return from, to, err
	}
	if !from.Before(to) || to.Sub(from) > longest {
		return from, to, refuseField(codeInvalidParameter, "from", words)
	}
	return from, to, nil
}
