package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventDetail is everything about one event, as REST has it.
type eventDetail struct {
	Event
	Payload  json.RawMessage `json:"payload"`
	Revealed bool            `json:"revealed"`
	Ends     []eventEnd      `json:"ends"`
	Resend   map[string]int  `json:"resend"`
	Attempts []attempt       `json:"attempts"`
}

type eventEnd struct {
	Destination string `json:"destination"`
	Outcome     string `json:"outcome"`
	Reason      string `json:"reason"`
	ReasonText  string `json:"reason_text"`
	Status      int    `json:"status"`
	CauseText   string `json:"cause_text"`
}

type attempt struct {
	ID          string    `json:"attempt_id"`
	Generation  int       `json:"generation"`
	Destination string    `json:"destination"`
	Number      int       `json:"number"`
	StartedAt   time.Time `json:"started_at"`
	DurationMS  float64   `json:"duration_ms"`
	Outcome     string    `json:"outcome"`
	Reason      string    `json:"reason"`
	ReasonText  string    `json:"reason_text"`
	Detail      string    `json:"detail"`
	Request     struct {
		Method         string          `json:"method"`
		URL            string          `json:"url"`
		HeaderNames    []string        `json:"header_names"`
		Body           json.RawMessage `json:"body"`
		BodySHA256     string          `json:"body_sha256"`
		AdapterVersion string          `json:"adapter_version"`
		DroppedFields  []string        `json:"dropped_fields"`
		Warnings       []string        `json:"warnings"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		TraceID string            `json:"trace_id"`
		Fields  map[string]string `json:"fields"`
	} `json:"response"`

	last bool // at its destination
}

// Bad reports whether an attempt is to be looked at: something left, and was not accepted.
func (a attempt) Bad() bool { return a.Number > 0 && a.Outcome != "accepted" && a.last }

// eventView is an event with its way to each destination.
type eventView struct {
	eventDetail
	Ways      []way
	Retryable bool
	Preview   *part[preview]
	First     *attempt // that sent something
	Requests  int
}

// way is an event's way to one destination: how it ended, or what it waits for, and each attempt.
type way struct {
	Destination string
	State       string // an outcome, or waiting
	Text        string
	End         *eventEnd
	Attempts    []attempt
	Next        *time.Time
}

// Sent is how many requests left.
func (w way) Sent() int {
	n := 0
	for _, a := range w.Attempts {
		if a.Number > 0 {
			n++
		}
	}
	return n
}

func (v *visit) eventPath() string { return "/admin/v1/events/" + segment(v.part("id")) }

func showEvent(v *visit) (any, error) {
	e := eventView{}
	if v.query.Has("preview") {
		e.Preview = &part[preview]{}
	}
	var failed error
	v.together(func() {
		failed = v.get(v.eventPath(), nil, &e.eventDetail)
	}, func() {
		if e.Preview != nil {
			id, _ := strconv.ParseInt(v.part("id"), 10, 64) // else the other call says so
			e.Preview.Problem = problemOf(v.post("/admin/v1/preview", nil, map[string]any{"id": id}, &e.Preview.Value))
		}
	})
	if failed != nil {
		return nil, failed
	}
	e.fill()
	v.title = "Event " + v.part("id")
	return e, nil
}

func (e *eventView) fill() {
	e.Retryable = (e.Status == "failed" || e.Status == "skipped") && e.ErasedAt == nil
	e.Ways = waysOf(e.eventDetail)
	for _, a := range e.Attempts {
		if a.Number > 0 {
			e.Requests++
		}
		if a.Number > 0 && e.First == nil {
			e.First = &a
		}
	}
}

// waysOf orders attempts by destination, in the order in which they were first tried.
func waysOf(e eventDetail) []way {
	var ways []way
	at := func(destination string) *way {
		i := slices.IndexFunc(ways, func(w way) bool { return w.Destination == destination })
		if i < 0 {
			ways = append(ways, way{Destination: destination})
			i = len(ways) - 1
		}
		return &ways[i]
	}
	for _, a := range e.Attempts {
		w := at(a.Destination)
		w.Attempts = append(w.Attempts, a)
		w.State, w.Text = a.Outcome, a.ReasonText
	}
	for _, end := range e.Ends {
		w := at(end.Destination)
		w.End, w.State, w.Text = &end, end.Outcome, end.ReasonText
		if end.CauseText != "" {
			w.Text += ": " + end.CauseText
		}
	}
	for i := range ways {
		w := &ways[i]
		if n := len(w.Attempts); n > 0 {
			w.Attempts[n-1].last = true
		}
		if w.End != nil || !e.Open() {
			continue
		}
		if w.State == "retry" || w.State == "not_sent" {
			w.State, w.Next = "waiting", e.NextAttemptAt
		}
	}
	return ways
}

// actOnEvent does what a button of the page asks for.
func actOnEvent(v *visit) (next, error) {
	here := "events/" + segment(v.part("id"))
	switch v.form.Get("do") {
	case "retry":
		if err := v.post(v.eventPath()+"/retry", nil, nil, nil); err != nil {
			return next{}, err
		}
		return v.done(here), nil
	case "reveal":
		return reveal(v)
	}
	return next{}, &Problem{Status: http.StatusBadRequest, Detail: "The form asks for nothing that this page does.", RequestID: v.id}
}

// reveal shows the payload in the answer to the form: it is in no address and in no cache, and a reload asks again.
func reveal(v *visit) (next, error) {
	var e eventView
	note := strings.TrimSpace(v.form.Get("note"))
	v.note = "" // it is in the body
	if err := v.post(v.eventPath()+"/reveal", nil, map[string]string{"note": note}, &e.eventDetail); err != nil {
		return next{}, err
	}
	e.fill()
	v.title = "Event " + v.part("id")
	return next{to: "events/" + segment(v.part("id")), data: e}, nil
}

func cancelEvent(v *visit) (next, error) {
	if err := v.post(v.eventPath()+"/cancel", nil, nil, nil); err != nil {
		return next{}, err
	}
	return v.done("events/" + segment(v.part("id"))), nil
}

// preview is what would become of an event now.
type preview struct {
	Levels []struct {
		Level  string `json:"level"`
		Name   string `json:"name"`
		Active bool   `json:"active"`
		Text   string `json:"reason_text"`
	} `json:"levels"`
	Route struct {
		Destinations []string `json:"destinations"`
		ReasonText   string   `json:"reason_text"`
		Accepted     []string `json:"already_accepted"`
	} `json:"route"`
	Destinations []struct {
		Destination string `json:"destination"`
		Sends       bool   `json:"sends"`
		Accepted    bool   `json:"already_accepted"`
		Reason      string `json:"reason"`
		ReasonText  string `json:"reason_text"`
		Field       string `json:"field"`
		EndsAs      string `json:"ends_as"`
		EventName   string `json:"event_name"`
		Request     *struct {
			Method  string            `json:"method"`
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
			Body    json.RawMessage   `json:"body"`
		} `json:"request"`
		Dropped  []string `json:"dropped_fields"`
		Withheld []struct {
			Field string `json:"field"`
			Why   string `json:"why"`
		} `json:"withheld"`
		Warnings []string `json:"warnings"`
	} `json:"destinations"`
}
