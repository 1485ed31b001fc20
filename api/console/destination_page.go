package console

import (
	"net/http"
	"net/url"
	"time"
)

// destinationPage is how a destination fares.
type destinationPage struct {
	Destination
	Window   window
	Windows  []window
	Tabs     []chip
	Ended    part[*bars]
	Attempts part[attemptStats]
	Since    time.Time
}

// attemptStats are the attempts at a destination in a window.
type attemptStats struct {
	Total struct {
		N         int64    `json:"n"`
		Failed    int64    `json:"failed"`
		ErrorRate float64  `json:"error_rate"`
		P50       *float64 `json:"p50_ms"`
		P95       *float64 `json:"p95_ms"`
		P99       *float64 `json:"p99_ms"`
		Statuses  []struct {
			Status int   `json:"status"`
			N      int64 `json:"n"`
		} `json:"statuses"`
		Outcomes map[string]int64 `json:"outcomes"`
	} `json:"total"`
}

// tabs are the pages of one destination.
func (v *visit) tabs(current string) []chip {
	var list []chip
	for _, t := range []struct{ text, tail string }{{"Health", ""}, {"Settings", "/settings"}, {"Try", "/try"}} {
		list = append(list, chip{t.text, base + v.here() + t.tail, t.text == current})
	}
	return list
}

// destination reads one destination of a storefront.
func (v *visit) destination() (Destination, error) {
	v.title = v.part("code") + " / " + v.part("destination")
	var d Destination
	err := v.get("/admin/v1/destinations/"+segment(v.part("code"))+"/"+segment(v.part("destination")), nil, &d)
	if p := problemOf(err); p != nil && p.Status == http.StatusNotFound {
		p.Detail = "The storefront has no settings for this destination. The storefront's page lists those that it has, and adds one."
	}
	return d, err
}

func showDestination(v *visit) (any, error) {
	d := destinationPage{Window: v.windowOf(), Windows: windows, Tabs: v.tabs("Health")}
	of := url.Values{"storefront": {v.part("code")}, "destination": {v.part("destination")}}
	v.follow(of)
	var failed error
	v.together(func() {
		d.Destination, failed = v.destination()
	}, func() {
		d.Ended.Value, d.Ended.Problem = v.flow(d.Window, of)
	}, func() {
		q := url.Values{"storefront": of["storefront"], "destination": of["destination"], "from": {v.now.Add(-d.Window.Hour).Format(time.RFC3339)}}
		d.Attempts.Problem = problemOf(v.get("/admin/v1/attempts/stats", q, &d.Attempts.Value))
	})
	if failed != nil {
		return nil, failed
	}
	d.Since = v.now.Add(-d.Window.Hour).Truncate(time.Minute)
	if s := d.Health.FailingSince; s != nil {
		d.Since = s.UTC().Truncate(time.Minute)
	}
	if b := d.Ended.Value; b != nil {
		b.Label = "Events of this destination by " + d.Window.Step
		b.Layers = append(b.Layers[:2:2], b.Layers[3]) // an open event has not ended anywhere
	}
	return d, nil
}

// Percent is a share of 1 as a text.
func (a attemptStats) Percent() string { return percent(a.Total.ErrorRate) }
