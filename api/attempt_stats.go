package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const maxAttemptStats = 1000

type attemptStatsInput struct {
	Storefront  string    `query:"storefront" maxLength:"50" example:"bosley" doc:"The storefront's code; all if missing."`
	Destination string    `query:"destination" maxLength:"50" pattern:"^[A-Za-z0-9_-]*$" example:"sgtm" doc:"sgtm, or a platform's code; all if missing."`
	From        time.Time `query:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window, taken to the full minute, hour or day; 24 hours ago if missing."`
	To          time.Time `query:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window; now if missing. At most 92 days after from."`
}

// AttemptStatsView is how the attempts of a window ended, and how long they took.
type AttemptStatsView struct {
	From         time.Time             `json:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window."`
	To           time.Time             `json:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window. Minutes, hours or days that begin before it count whole."`
	Step         ops.Step              `json:"step" enum:"minute,hour,day" example:"hour" doc:"What the window is made of: minutes, of two hours at most within the last day; hours, of three days at most within the last eight; or days, which begin at midnight UTC."`
	Total        AttemptCounts         `json:"total" doc:"All together."`
	Destinations []DestinationAttempts `json:"destinations" nullable:"false" doc:"By storefront and destination, the most failures first; 1000 at most."`
	Omitted      int                   `json:"destinations_omitted" example:"0" doc:"Number of further ones."`
}

// AttemptCounts are the counts of some attempts. A time is interpolated within its range: up to 5, 10, 20, 50 ms and so on.
type AttemptCounts struct {
	N         int64                   `json:"n" example:"1200" doc:"Attempts that sent a request."`
	Failed    int64                   `json:"failed" example:"24" doc:"Of those: not accepted."`
	ErrorRate float64                 `json:"error_rate" example:"0.02" doc:"failed by n; 0 without any."`
	Outcomes  map[relay.Outcome]int64 `json:"outcomes" doc:"By outcome: accepted, retry, rejected, unauthorized, unknown."`
	Statuses  []StatusCount           `json:"statuses" nullable:"false" doc:"By HTTP status, the most first."`
	P50       float64                 `json:"p50_ms" example:"80" doc:"Half of the attempts took less, in milliseconds."`
	P95       float64                 `json:"p95_ms" example:"310" doc:"19 of 20 took less."`
	P99       float64                 `json:"p99_ms" example:"900" doc:"99 of 100 took less."`
}

// StatusCount counts the attempts with one HTTP status.
type StatusCount struct {
	Status int   `json:"status" example:"503" doc:"The HTTP status; 0 without a response."`
	N      int64 `json:"n" example:"24" doc:"How many."`
}

// DestinationAttempts are those at one destination of a storefront.
type DestinationAttempts struct {
	Storefront  string `json:"storefront" example:"bosley" doc:"The storefront's code."`
	Destination string `json:"destination" example:"sgtm" doc:"sgtm, or a platform's code."`
	AttemptCounts
}

type attemptStatsOutput struct{ Body AttemptStatsView }

func (h opsHandlers) attemptStats(ctx context.Context, in *attemptStatsInput) (*attemptStatsOutput, error) {
	from, to, err := window(in.From, in.To, statsWindow, "must be before to, by 92 days at most")
	if err != nil {
		return nil, err
	}
	id, err := h.storefrontID(ctx, in.Storefront, "storefront")
	if err != nil {
		return nil, err
	}
	step := ops.AttemptStep(from, to, time.Now())
	v := AttemptStatsView{From: step.Begin(from), To: to, Step: step, Destinations: []DestinationAttempts{}}
	total, list, err := h.Events.AttemptStats(ctx, ops.AttemptsQuery{From: v.From, To: to, Step: step, StorefrontID: id, Destination: in.Destination})
	if err != nil {
		return nil, err
	}
	v.Total, v.Omitted = attemptCounts(total), max(0, len(list)-maxAttemptStats)
	for _, s := range list[:len(list)-v.Omitted] {
		v.Destinations = append(v.Destinations, DestinationAttempts{s.Storefront, s.Destination, attemptCounts(s)})
	}
	return &attemptStatsOutput{v}, nil
}

func attemptCounts(s ops.AttemptStats) AttemptCounts {
	v := AttemptCounts{N: s.N, Failed: s.Failed(), Outcomes: s.Outcomes, Statuses: []StatusCount{}, P50: s.Percentile(.5), P95: s.Percentile(.95), P99: s.Percentile(.99)}
	if s.N > 0 {
		v.ErrorRate = float64(v.Failed) / float64(s.N)
	}
	for status, n := range s.Statuses {
		v.Statuses = append(v.Statuses, StatusCount{status, n})
	}
	slices.SortFunc(v.Statuses, func(a, b StatusCount) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Status, b.Status)) })
	return v
}
