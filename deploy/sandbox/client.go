package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client controls a sandbox in another process.
type Client struct {
	BaseURL string // such as http://127.0.0.1:8900, without a trailing slash
}

// Answer scripts the responses of a path, as Sandbox.Answer does.
func (c Client) Answer(ctx context.Context, rule Rule) error {
	return c.do(ctx, http.MethodPut, "answers", rule, nil)
}

// ClearAnswers deletes every script.
func (c Client) ClearAnswers(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "answers", nil, nil)
}

// Clear deletes all deliveries.
func (c Client) Clear(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "requests", nil, nil)
}

// Requests returns the kept deliveries to path and below it after number since, oldest first.
func (c Client) Requests(ctx context.Context, path string, since int64) ([]Request, error) {
	query := url.Values{"path": {path}, "since": {strconv.FormatInt(since, 10)}}
	var requests []Request
	err := c.do(ctx, http.MethodGet, "requests?"+query.Encode(), nil, &requests)
	return requests, err
}

// Counts counts all deliveries.
func (c Client) Counts(ctx context.Context) (Counts, error) {
	var counts Counts
	err := c.do(ctx, http.MethodGet, "counts", nil, &counts)
	return counts, err
}

// Total returns the number of all deliveries.
func (c Client) Total(ctx context.Context) (int64, error) {
	var total int64
	err := c.do(ctx, http.MethodGet, "total", nil, &total)
	return total, err
}

// Arrivals returns when and how often each event reached each path, in no order.
func (c Client) Arrivals(ctx context.Context) ([]Arrival, error) {
	var arrivals []Arrival
	err := c.do(ctx, http.MethodGet, "arrivals", nil, &arrivals)
	return arrivals, err
}

func (c Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.BaseURL+controlPrefix+path, body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("sandbox %s %s: %s: %s", method, path, response.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}
