package console

import (
	"cmp"
	"encoding/json"
	"strings"
)

// checked is what a check of the settings found.
type checked struct {
	OK       bool     `json:"ok"`
	Field    string   `json:"field"`
	Message  string   `json:"message"`
	Warnings []string `json:"warnings"`
	Sent     *struct {
		Request struct {
			Method  string            `json:"method"`
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
			Body    json.RawMessage   `json:"body"`
		} `json:"request"`
		Status   int               `json:"status"`
		Trouble  string            `json:"trouble"`
		Outcome  string            `json:"outcome"`
		Text     string            `json:"reason_text"`
		TraceID  string            `json:"trace_id"`
		Fields   map[string]string `json:"fields"`
		Answer   json.RawMessage   `json:"answer"`
		Warnings []string          `json:"warnings"`
		TookMS   float64           `json:"took_ms"`
	} `json:"sent"`
	Failed int64 `json:"failed_since"`
	More   bool  `json:"failed_more"`
	Replay *struct {
		Filter struct {
			Storefront  string   `json:"storefront"`
			Status      []string `json:"status"`
			Reason      []string `json:"reason"`
			Destination string   `json:"destination"`
			FailedAt    string   `json:"failed_at"`
			From        string   `json:"from"`
		} `json:"filter"`
	} `json:"replay"`
}

// Again is the page that sends again what failed.
func (c checked) Again() string {
	f := c.Replay.Filter
	return address("replays/new", join("storefront", f.Storefront, "status", strings.Join(f.Status, ","), "reason", strings.Join(f.Reason, ","),
		"failed_at", cmp.Or(f.FailedAt, f.Destination), "from", f.From))
}
