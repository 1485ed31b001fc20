package cmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

// CLI holds the settings of the commands for ops: the address of a relay's API, and a login for it. They use nothing but the API.
type CLI struct {
	URL           string       `env:"RELAY_URL" envDefault:"http://localhost:8000" desc:"address of the relay that the commands for ops talk to"`
	AdminUsername string       `env:"ADMIN_AUTH_USERNAME" desc:"login of an admin; BASIC_AUTH_USERNAME where it is not set"`
	AdminPassword relay.Secret `env:"ADMIN_AUTH_PASSWORD" desc:"its password"`
	Username      string       `env:"BASIC_AUTH_USERNAME" desc:"login of OMS and, by default, of admins"`
	Password      relay.Secret `env:"BASIC_AUTH_PASSWORD" desc:"its password"`
}

// remote is a relay's API, as one command uses it.
type remote struct {
	cli    CLI
	client *http.Client
	out    io.Writer
	in     io.Reader
	json   bool        // print responses unchanged
	header http.Header // of every request, beside its own
}

// remoteCommand is a command that talks to a relay.
func remoteCommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, *remote, []string) error) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(c *cobra.Command, args []string) error {
		r := &remote{client: &http.Client{Timeout: time.Minute}, out: c.OutOrStdout(), in: c.InOrStdin(), json: asJSON}
		if err := parse(&r.cli); err != nil {
			return err
		}
		return run(c, r, args)
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print the API's response, for scripts")
	return c
}

// writeCommand is a command that changes something at a relay: its flag --note is kept by the audit.
func writeCommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, *remote, []string) error) *cobra.Command {
	var note string
	c := remoteCommand(use, short, args, func(c *cobra.Command, r *remote, args []string) error {
		if note != "" {
			r.send("Relay-Note", note)
		}
		return run(c, r, args)
	})
	c.Flags().StringVar(&note, "note", "", "why, for the audit: a ticket for example")
	return c
}

// send adds a header to every request.
func (r *remote) send(name, value string) {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(name, value)
}

// call sends one request and decodes the response into to; with --json it is also printed, unless quiet.
func (r *remote) call(ctx context.Context, method, path string, query url.Values, body, to any) error {
	response, err := r.raw(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(response, to); err != nil {
		return fmt.Errorf("%s %s: the response is not one of a relay", method, path)
	}
	return nil
}

func (r *remote) raw(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	address := strings.TrimRight(r.cli.URL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, in)
	if err != nil {
		return nil, errors.New("RELAY_URL: is not a URL")
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	name, password := r.cli.AdminUsername, r.cli.AdminPassword
	if name == "" {
		name, password = r.cli.Username, r.cli.Password
	}
	maps.Copy(req.Header, r.header)
	req.SetBasicAuth(name, password.Reveal())
	res, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no relay responds at RELAY_URL: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	response, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return nil, problemError(res.StatusCode, response)
	}
	return response, nil
}

// problemError is a problem document in one line.
func problemError(status int, response []byte) error {
	var p api.Problem
	if json.Unmarshal(response, &p) != nil || p.Code == "" {
		return fmt.Errorf("the relay responded with %d", status)
	}
	words := p.Detail
	if p.Field != "" && len(p.Errors) == 0 {
		words = p.Field + ": " + words
	}
	for _, e := range p.Errors {
		words += fmt.Sprintf("\n  %s: %s (%s)", e.Field, e.Message, e.Code)
	}
	return fmt.Errorf("%s (%d %s)", words, status, p.Code)
}

// printJSON prints a value for scripts.
func (r *remote) printJSON(v any) error {
	enc := json.NewEncoder(r.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table prints rows under a heading.
func (r *remote) table(heading []string, rows [][]string) error {
	w := tabwriter.NewWriter(r.out, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (r *remote) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(r.out, format, args...)
	return err
}

// filterFlags are the flags that pick events.
type filterFlags struct {
	order, storefront, kind, source, destination, from, to string
	status, reason                                         []string
	waitingAt                                              string // of a list and a count only
}

// addWaiting adds the flag that a replay does not have.
func (f *filterFlags) addWaiting(c *cobra.Command) {
	f.add(c)
	c.Flags().StringVar(&f.waitingAt, "waiting-at", "", "sgtm or a platform's code: events in delivery that have not ended there")
}

func (f *filterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.order, "order", "", "order id, or the event's own id")
	c.Flags().StringVar(&f.storefront, "storefront", "", "the storefront's code")
	c.Flags().StringVar(&f.kind, "type", "", "type of the event")
	c.Flags().StringSliceVar(&f.status, "status", nil, "pending, processing, delivered, failed, skipped; several with commas")
	c.Flags().StringSliceVar(&f.reason, "reason", nil, "reason code; several with commas")
	c.Flags().StringVar(&f.source, "source", "", "oms or oms_direct")
	c.Flags().StringVar(&f.destination, "destination", "", "sgtm or a platform's code")
	c.Flags().StringVar(&f.from, "from", "", "received at this time or later: RFC 3339, or how long ago (24h)")
	c.Flags().StringVar(&f.to, "to", "", "received before this time: likewise")
}

func (f *filterFlags) filter() (api.EventFilter, error) {
	e := api.EventFilter{OrderID: f.order, Storefront: f.storefront, EventType: f.kind, Source: f.source, Destination: f.destination}
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
		"destination": e.Destination, "waiting_at": f.waitingAt, "status": strings.Join(f.status, ","), "reason": strings.Join(f.reason, ",")} {
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
		return t, fmt.Errorf("%s: is neither a time such as 2026-01-15T00:00:00Z nor a duration such as 24h", flag)
	}
	return t.UTC(), nil
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
