package cli

import (
	"bytes"
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
)

// surroundings are the options of all commands, with the flags that all have.
type surroundings struct {
	Options
	profile string
}

// remote is a relay's API, as one command uses it.
type remote struct {
	session session
	client  *http.Client
	out     io.Writer
	in      io.Reader
	notices io.Writer   // for what is not the result
	json    bool        // print responses unchanged
	header  http.Header // of every request, beside its own
}

// requestTimeout is longer than any request of the API may take.
const requestTimeout = time.Minute

// remoteCommand is a command that talks to a relay.
func (s *surroundings) remoteCommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, *remote, []string) error) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(c *cobra.Command, args []string) error {
		r, err := s.connect(c)
		if err != nil {
			return err
		}
		r.json = asJSON
		return run(c, r, args)
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print the API's response, for scripts")
	return c
}

// connect prepares requests to the relay that the command line and the environment name.
func (s *surroundings) connect(c *cobra.Command) (*remote, error) {
	t := terminal{in: c.InOrStdin(), notices: c.ErrOrStderr()}
	session, err := s.session(c.Context(), t.password)
	if err != nil {
		return nil, err
	}
	return newRemote(c, session), nil
}

func newRemote(c *cobra.Command, to session) *remote {
	return &remote{session: to, out: c.OutOrStdout(), in: c.InOrStdin(), notices: c.ErrOrStderr(), client: &http.Client{
		Timeout: requestTimeout,
		// A login is sent to the address that was named, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// writeCommand is a command that changes something at a relay: its flag --note is kept by the audit.
func (s *surroundings) writeCommand(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, *remote, []string) error) *cobra.Command {
	var note string
	c := s.remoteCommand(use, short, args, func(c *cobra.Command, r *remote, args []string) error {
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

// call sends one request and decodes the response into to.
func (r *remote) call(ctx context.Context, method, path string, query url.Values, body, to any) error {
	response, err := r.raw(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	return decode(response, to)
}

func decode(response []byte, to any) error {
	if err := json.Unmarshal(response, to); err != nil {
		return errors.New("the response is not one of a relay")
	}
	return nil
}

// raw sends one request and returns the body of the response.
func (r *remote) raw(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	response, _, err := r.exchange(ctx, method, path, query, body)
	return response, err
}

// exchange sends one request and returns body and headers of the response.
func (r *remote) exchange(ctx context.Context, method, path string, query url.Values, body any) ([]byte, http.Header, error) {
	res, err := r.do(ctx, r.client, method, path, query, body)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	response, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, withCode(ExitUnavailable, fmt.Errorf("read the response: %w", err))
	}
	return response, res.Header, nil
}

// do sends one request. A response of an error is returned as one.
func (r *remote) do(ctx context.Context, client *http.Client, method, path string, query url.Values, body any) (*http.Response, error) {
	req, err := r.request(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, withCode(ExitUnavailable, fmt.Errorf("no relay responds at %s: %w", r.session.source, err))
	}
	if res.StatusCode < http.StatusMultipleChoices {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	response, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	return nil, withCode(codeOf(res.StatusCode), &refusal{problemError(res.StatusCode, response), response})
}

// refusal is the error of a response that refuses, with its body.
type refusal struct {
	error
	body []byte
}

// maxProblem bounds the response of an error.
const maxProblem = 1 << 20

func (r *remote) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	address := r.session.url + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, in)
	if err != nil {
		return nil, usagef("%s: is not a URL", r.session.source)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	maps.Copy(req.Header, r.header)
	if r.session.username != "" {
		req.SetBasicAuth(r.session.username, r.session.password.Reveal())
	}
	return req, nil
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
	for _, u := range p.UsedBy {
		words += fmt.Sprintf("\n  used by %d %s", u.Count, u.Kind)
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
