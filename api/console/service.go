package console

import (
	"fmt"
	"math"
)

// service is how well the relay does, against its objectives.
type service struct {
	Objective   float64         `json:"objective"`
	FreshWithin int             `json:"fresh_within_seconds"`
	Windows     []serviceWindow `json:"windows"`
}

type serviceWindow struct {
	Window    string   `json:"window"`
	Delivered int64    `json:"delivered"`
	Failed    int64    `json:"failed"`
	Success   *float64 `json:"success"`
	Late      int64    `json:"late"`
	Freshness *float64 `json:"freshness"`
}

// level is a share beside its objective.
type level struct {
	Window, Text string
	Short        bool // of its objective
	Bad          int64
}

// Fresh are the shares of deliveries in time.
func (s service) Fresh() []level {
	var list []level
	for _, w := range s.Windows {
		list = append(list, s.level(w.Window, w.Freshness, w.Late))
	}
	return list
}

// Success are the shares of deliveries that did not fail.
func (s service) Success() []level {
	var list []level
	for _, w := range s.Windows {
		list = append(list, s.level(w.Window, w.Success, w.Failed))
	}
	return list
}

func (s service) level(window string, share *float64, bad int64) level {
	if share == nil {
		return level{Window: window}
	}
	return level{Window: window, Text: exactly(*share), Short: *share < s.Objective, Bad: bad}
}

// Goal is the objective as text.
func (s service) Goal() string { return percent(s.Objective) }

// exactly is a share with two decimals, rounded down: 100 % is a share without an exception.
func exactly(share float64) string {
	return fmt.Sprintf("%.4g %%", math.Floor(1e4*share+1e-6)/100)
}
