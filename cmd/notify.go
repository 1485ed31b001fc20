package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"relay/activities"
	"relay/adapters/outbound"
	"relay/internal/ops"
	"relay/internal/relay"
)

// Notify holds the settings of the relay's own notices.
type Notify struct {
	NotifyURL     relay.Secret  `env:"NOTIFY_URL" desc:"address of the webhook that gets the relay's own notices: Slack's form, or signed JSON with NOTIFY_SECRET. The rules of destinations' addresses apply; empty is off"`
	NotifySecret  relay.Secret  `env:"NOTIFY_SECRET" desc:"whsec_ and 24 to 64 bytes in base64: notices are then signed JSON (Standard Webhooks)"`
	NotifyEvery   time.Duration `env:"NOTIFY_EVERY" envDefault:"15m" desc:"at most one alert of a kind in this time; the next one has what happened meanwhile"`
	NotifyWait    time.Duration `env:"NOTIFY_WAIT" envDefault:"30s" desc:"how long a state, or its end, lasts before a notice reports it, with all that joined it meanwhile"`
	NotifyPending time.Duration `env:"NOTIFY_OLDEST_PENDING" envDefault:"5m" desc:"age from which on a notice reports a storefront's oldest event that is pending, or waits for a credential or the database; 0 is off"`
	NotifyShare   float64       `env:"NOTIFY_FAILURE_SHARE" envDefault:"0.1" desc:"share of a storefront's deliveries in the present hour and the one before whose failure a notice reports, such as 0.1; 0 is off"`
	NotifyDaily   string        `env:"NOTIFY_DAILY" desc:"time of a daily summary, in UTC, such as 08:00; empty is off"`
	RunbookURL    string        `env:"RUNBOOK_URL" desc:"address under which people read docs/OPERATIONS.md, for the links of notices"`
}

func (n Notify) check(private []netip.Prefix) error {
	switch {
	case n.NotifyURL.IsSet():
		if err := checkReceiver(n.NotifyURL.Reveal(), private); err != nil {
			return fmt.Errorf("NOTIFY_URL: %w", err)
		}
	case n.NotifySecret.IsSet():
		return errors.New("NOTIFY_URL: is required with NOTIFY_SECRET")
	}
	if n.NotifySecret.IsSet() {
		if _, err := relay.WebhookKey(n.NotifySecret); err != nil {
			return fmt.Errorf("NOTIFY_SECRET: %w", err)
		}
	}
	if u, err := url.Parse(n.RunbookURL); n.RunbookURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "") {
		return errors.New("RUNBOOK_URL: must be an http or https URL without a fragment")
	}
	switch {
	case n.NotifyEvery < time.Second:
		return errors.New("NOTIFY_EVERY: must be 1s or more")
	case n.NotifyWait < 0:
		return errors.New("NOTIFY_WAIT: must be 0s or more")
	case n.NotifyPending < 0:
		return errors.New("NOTIFY_OLDEST_PENDING: must be 0s or more")
	case !(n.NotifyShare >= 0 && n.NotifyShare < 1): // false of NaN
		return errors.New("NOTIFY_FAILURE_SHARE: must be 0 or more, and less than 1")
	}
	if _, err := n.daily(); err != nil {
		return errors.New("NOTIFY_DAILY: must be a time of day such as 08:00")
	}
	return nil
}

// checkReceiver applies the rules of destinations' addresses as far as they need no resolver: a start must not depend on one. The
// check of the dialled address decides.
func checkReceiver(address string, private []netip.Prefix) error {
	u, err := relay.ParseAddress(address)
	if err != nil {
		return err
	}
	_, err = netip.ParseAddr(u.Hostname())
	if isName := err != nil; isName && u.Scheme == "http" && len(private) > 0 {
		return nil
	}
	return outbound.CheckURL(context.Background(), address, private)
}

// daily is the time since midnight; nil is off.
func (n Notify) daily() (*time.Duration, error) {
	if n.NotifyDaily == "" {
		return nil, nil
	}
	at, err := time.Parse("15:04", n.NotifyDaily)
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return &since, err
}

func (n Notify) noticeRules() ops.NoticeRules {
	daily, _ := n.daily() // check has read it
	return ops.NoticeRules{Every: n.NotifyEvery, Wait: n.NotifyWait, OldestPending: n.NotifyPending, FailureShare: n.NotifyShare, Daily: daily}
}

// notifier sends notices to NOTIFY_URL.
type notifier struct {
	cfg    Notify
	public string
	client *outbound.Client
}

// notifier is nil without an address. It bypasses the traces of deliveries.
func (s *service) notifier() activities.Notifier {
	if !s.cfg.NotifyURL.IsSet() {
		return nil
	}
	return notifier{s.cfg.Notify, s.cfg.PublicURL, s.outbound}
}

// testNotice sends a notice that says that notices arrive; nil without an address.
func (s *service) testNotice() func(context.Context) relay.Result {
	n := s.notifier()
	if n == nil {
		return nil
	}
	return func(ctx context.Context) relay.Result {
		return n.Notify(ctx, ops.Notice{ID: time.Now().UnixMicro(), Kind: ops.NoticeTest, Phase: ops.NoticeReport, At: time.Now().UTC()})
	}
}

// Notify makes one attempt. The receiver's response counts by its status alone; a web page is that of a login or a proxy, and no
// receiver's.
func (n notifier) Notify(ctx context.Context, notice ops.Notice) relay.Result {
	response := n.client.Send(ctx, n.request(notice))
	r := response.Result()
	if r.Outcome == relay.Accepted && response.IsHTML() {
		r.Outcome, r.Reason = relay.Rejected, relay.ReasonNotJSON
	}
	return r
}

// request is a notice in the form of its receiver. Its id is the same on every attempt.
func (n notifier) request(notice ops.Notice) relay.Request {
	const secret = "secret"
	text := noticeText{notice, n.public, n.cfg.RunbookURL, n.cfg.noticeRules()}
	r := relay.Request{Method: http.MethodPost, URL: n.cfg.NotifyURL.Reveal(), Repeatable: true, Header: map[string]string{"Content-Type": "application/json"}}
	if !n.cfg.NotifySecret.IsSet() {
		r.Body = text.slack()
		return r
	}
	r.Body = text.json()
	r.Header[relay.HeaderWebhookID] = text.id()
	r.Auth = relay.Auth{Kind: relay.AuthStandardWebhooks, Secrets: []string{secret}}
	return r.For(relay.Destination{Secrets: map[string]relay.Secret{secret: n.cfg.NotifySecret}})
}
