package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// noticeText is a notice as people and programs read it.
type noticeText struct {
	ops.Notice
	public, runbook string
	rules           ops.NoticeRules
}

// runbooks are the sections of docs/OPERATIONS.md.
var runbooks = map[ops.NoticeKind]string{
	ops.NoticeUnhealthy:  "a-destination-is-down",
	ops.NoticeCredential: "a-destination-is-down",
	ops.NoticeWaiting:    "events-wait",
	ops.NoticeFailing:    "events-fail-at-one-destination",
	ops.NoticeUnknown:    "rows-of-an-unknown-storefront",
	ops.NoticeRepairs:    "the-reconciler-repairs-rows",
	ops.NoticeSummary:    "notices",
	ops.NoticeTest:       "notices",
}

func (t noticeText) id() string { return "notice-" + strconv.FormatInt(t.ID, 10) }

// title is the notice in one sentence.
func (t noticeText) title() string {
	n := len(t.Subjects) + t.More
	if t.Phase == ops.NoticeRecovery {
		return t.recovered(n)
	}
	switch t.Kind {
	case ops.NoticeUnhealthy:
		return plural(n, "destination became unhealthy", "destinations became unhealthy")
	case ops.NoticeCredential:
		return plural(n, "destination refused its credential", "destinations refused their credentials")
	case ops.NoticeWaiting:
		return "Events of " + plural(n, "storefront have", "storefronts have") + " waited for more than " + shortly(t.rules.OldestPending)
	case ops.NoticeFailing:
		return fmt.Sprintf("More than %.3g%% of the deliveries of %s fail", 100*t.rules.FailureShare, plural(n, "storefront", "storefronts"))
	case ops.NoticeUnknown:
		return "Rows of an unknown storefront arrive"
	case ops.NoticeRepairs:
		return "The reconciler repaired rows that had no workflow"
	case ops.NoticeSummary:
		return "Events of the last 24 hours"
	}
	return "This is a test: notices of the relay arrive here"
}

func (t noticeText) recovered(n int) string {
	var text string
	switch t.Kind {
	case ops.NoticeUnhealthy:
		text = plural(n, "destination recovered", "destinations recovered")
	case ops.NoticeCredential:
		text = plural(n, "destination accepts its credential again", "destinations accept their credentials again")
	case ops.NoticeWaiting:
		text = "Events of " + plural(n, "storefront are", "storefronts are") + " delivered again"
	case ops.NoticeFailing:
		text = "Deliveries of " + plural(n, "storefront", "storefronts") + " fail no more often than is usual"
	default:
		text = "No more rows of an unknown storefront arrive"
	}
	if t.Left > 0 {
		text += fmt.Sprintf("; %d have not", t.Left)
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// lines are the subjects, one a line.
func (t noticeText) lines() []string {
	var lines []string
	for _, s := range t.Subjects {
		lines = append(lines, t.line(s))
	}
	if t.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", t.More))
	}
	return lines
}

func (t noticeText) line(s ops.NoticeSubject) string {
	place := s.Storefront
	if s.Storefront == "" && s.Rows == 0 {
		place = "(none)" // rows whose storefront is not resolved
	}
	if s.Destination != "" {
		place += " / " + s.Destination
	}
	var facts []string
	if s.Ended > 0 {
		facts = append(facts, fmt.Sprintf("%d of %d failed", s.Failed, s.Ended))
	}
	if s.Reason != "" && t.Phase != ops.NoticeRecovery {
		facts = append(facts, string(s.Reason))
	}
	if s.Status != 0 && t.Phase != ops.NoticeRecovery {
		facts = append(facts, fmt.Sprintf("status %d", s.Status))
	}
	if s.Rows > 0 && t.Phase != ops.NoticeRecovery {
		facts = append(facts, plural(int(s.Rows), "row", "rows"))
	}
	if e := s.Events; e != nil {
		facts = append(facts, fmt.Sprintf("%d received, %d delivered, %d failed, %d skipped, %d open", e.Received, e.Delivered, e.Failed, e.Skipped, e.Open))
	}
	if !s.Since.IsZero() {
		facts = append(facts, "since "+s.Since.UTC().Format(time.DateTime)+" UTC")
	}
	if !s.Until.IsZero() {
		facts = append(facts, "until "+s.Until.UTC().Format(time.DateTime)+" UTC")
	}
	text := strings.Join(facts, ", ")
	switch {
	case place == "":
		return text
	case text == "":
		return place
	}
	return place + ": " + text
}

// shortly is a duration without zero units: 5m rather than 5m0s.
func shortly(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// console is the page that shows it.
func (t noticeText) console() string {
	page, q := "", url.Values{}
	switch t.Kind {
	case ops.NoticeUnhealthy, ops.NoticeCredential:
		page = "destinations"
		q.Set("state", "ill")
		if len(t.Subjects) == 1 && t.More == 0 {
			page, q = "storefronts/"+url.PathEscape(t.Subjects[0].Storefront)+"/"+url.PathEscape(t.Subjects[0].Destination), nil
		}
	case ops.NoticeWaiting, ops.NoticeFailing:
		page = "events"
		q.Set("status", t.statuses())
		if len(t.Subjects) == 1 && t.More == 0 && t.Subjects[0].Storefront != "" {
			q.Set("storefront", t.Subjects[0].Storefront)
		}
	case ops.NoticeUnknown:
		page = "events"
		q.Set("reason", string(relay.ReasonUnknownStorefront))
	case ops.NoticeRepairs, ops.NoticeTest:
		page = "system"
	}
	address := strings.TrimRight(t.public, "/") + "/console/" + page
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}

// statuses are those of the events that it is about. An event that waits for a known reason is in delivery.
func (t noticeText) statuses() string {
	if t.Kind == ops.NoticeFailing {
		return string(relay.StatusFailed)
	}
	held := 0
	for _, s := range t.Subjects {
		if s.Reason != "" {
			held++
		}
	}
	switch {
	case held == 0:
		return string(relay.StatusPending)
	case held == len(t.Subjects) && t.More == 0:
		return string(relay.StatusProcessing)
	}
	return string(relay.StatusPending) + "," + string(relay.StatusProcessing)
}

// help is the section of the runbook: a link, or the path of the file where its address is not known.
func (t noticeText) help() string {
	page := "docs/OPERATIONS.md"
	if t.runbook != "" {
		page = t.runbook
	}
	return page + "#" + runbooks[t.Kind]
}

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack is the form of Slack's incoming webhooks, which others understand, too.
func (t noticeText) slack() []byte {
	sign := map[ops.NoticePhase]string{ops.NoticeAlert: "🔴", ops.NoticeRecovery: "🟢", ops.NoticeReport: "ℹ️"}[t.Phase]
	text := sign + " *" + slackEscapes.Replace(t.title()) + "*"
	for _, line := range t.lines() {
		text += "\n• " + slackEscapes.Replace(line)
	}
	text += "\n<" + slackEscapes.Replace(t.console()) + "|Console> · "
	if t.runbook == "" {
		text += slackEscapes.Replace(t.help())
	} else {
		text += "<" + slackEscapes.Replace(t.help()) + "|Runbook>"
	}
	return marshal(map[string]string{"text": text})
}

// json is the form of Standard Webhooks: type, timestamp, data.
func (t noticeText) json() []byte {
	subjects := t.Subjects
	if subjects == nil {
		subjects = []ops.NoticeSubject{}
	}
	return marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{"relay.notice." + string(t.Kind), t.At.UTC(), struct {
		ID       string              `json:"id"`
		Kind     ops.NoticeKind      `json:"kind"`
		Phase    ops.NoticePhase     `json:"phase"`
		Title    string              `json:"title"`
		Subjects []ops.NoticeSubject `json:"subjects"`
		More     int                 `json:"more"`
		Left     int                 `json:"left"`
		Console  string              `json:"console_url"`
		Runbook  string              `json:"runbook_url"`
	}{t.id(), t.Kind, t.Phase, t.title(), subjects, t.More, t.Left, t.console(), t.help()}})
}

func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // of texts and numbers
	return bytes.TrimSpace(b.Bytes())
}
