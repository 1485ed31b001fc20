package cli

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

// filterFlags are the flags that pick events.
type filterFlags struct {
	order, storefront, kind, source, destination, failedAt, from, to string
	status, reason                                                   []string
	waitingAt                                                        string // of a list and a count only
}

// addWaiting adds the flag that a replay does not have.
func (f *filterFlags) addWaiting(c *cobra.Command) {
	f.add(c)
	c.Flags().StringVar(&f.waitingAt, "waiting-at", "", "sgtm or a platform's code: events in delivery that have not ended there")
	describe(c, "waiting-at", "waiting_at", namesOfDestinations)
}

func (f *filterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.order, "order", "", "order id, or the event's own id")
	c.Flags().StringVar(&f.storefront, "storefront", "", "the storefront's code")
	c.Flags().StringVar(&f.kind, "type", "", "type of the event")
	c.Flags().StringSliceVar(&f.status, "status", nil, "pending, processing, delivered, failed, skipped; several with commas")
	c.Flags().StringSliceVar(&f.reason, "reason", nil, "reason code; several with commas")
	c.Flags().StringVar(&f.source, "source", "", "oms or oms_direct")
	c.Flags().StringVar(&f.destination, "destination", "", "sgtm or a platform's code")
	c.Flags().StringVar(&f.failedAt, "failed-at", "", "sgtm or a platform's code: events that ended there without being accepted")
	c.Flags().StringVar(&f.from, "from", "", "received at this time or later: RFC 3339, or how long ago (24h)")
	c.Flags().StringVar(&f.to, "to", "", "received before this time: likewise")
	for flag, param := range map[string]string{"order": "order_id", "type": "event_type", "status": "status", "reason": "reason", "source": "source", "from": "from", "to": "to"} {
		describe(c, flag, param, "")
	}
	describe(c, "storefront", "storefront", namesOfStorefronts)
	describe(c, "destination", "destination", namesOfDestinations)
	describe(c, "failed-at", "failed_at", namesOfDestinations)
}

func (f *filterFlags) filter() (api.EventFilter, error) {
	e := api.EventFilter{OrderID: f.order, Storefront: f.storefront, EventType: f.kind, Source: f.source, Destination: f.destination, FailedAt: f.failedAt}
	for _, s := range f.status {
		e.Status = append(e.Status, relay.Status(s))
	}
	for _, s := range f.reason {
		e.Reason = append(e.Reason, relay.Reason(s))
	}
	var err1, err2 error
	e.From, err1 = moment("--from", f.from)
	e.To, err2 = moment("--to", f.to)
	return e, cmp.Or(err1, err2)
}

// query is the same filter as a query.
func (f *filterFlags) query() (url.Values, error) {
	e, err := f.filter()
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	for name, value := range map[string]string{"order_id": e.OrderID, "storefront": e.Storefront, "event_type": e.EventType, "source": e.Source,
		"destination": e.Destination, "failed_at": e.FailedAt, "waiting_at": f.waitingAt, "status": strings.Join(f.status, ","), "reason": strings.Join(f.reason, ",")} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, t := range map[string]time.Time{"from": e.From, "to": e.To} {
		if !t.IsZero() {
			q.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	return q, nil
}

// moment reads a time, or how long ago it was.
func moment(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().UTC().Add(-d).Truncate(time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usagef("%s: is neither a time such as 2026-01-15T00:00:00Z nor a duration such as 24h", flag)
	}
	return t.UTC(), nil
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
