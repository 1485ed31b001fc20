package relay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func responded(status int) relay.Response {
	return relay.Response{Sent: true, Status: status, At: noon}
}

func TestStatusDecidesTheOutcome(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]relay.Result{
		200: {Outcome: relay.Accepted}, 201: {Outcome: relay.Accepted}, 202: {Outcome: relay.Accepted}, 204: {Outcome: relay.Accepted},
		206: {Outcome: relay.Accepted}, 299: {Outcome: relay.Accepted},
		301: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect}, 304: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect},
		307: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect}, 308: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect},
		400: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest}, 402: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
		401: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized}, 403: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized},
		404: {Outcome: relay.Rejected, Reason: relay.ReasonNotFound}, 405: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
		408: {Outcome: relay.Retry, Reason: relay.ReasonTimeout}, 409: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
		413: {Outcome: relay.Rejected, Reason: relay.ReasonTooLarge}, 422: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
		425: {Outcome: relay.Retry, Reason: relay.ReasonThrottled}, 429: {Outcome: relay.Retry, Reason: relay.ReasonThrottled},
		500: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 501: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
		502: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 503: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
		504: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 599: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
		101: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
	} {
		want.Status = status
		require.Equal(t, want, responded(status).Result(), status)
		cut := responded(status)
		cut.TransportError = relay.TransportCut
		if status >= 300 {
			require.Equal(t, want, cut.Result(), "%d decides, even without the body", status)
		} else {
			require.NotEqual(t, relay.Accepted, cut.Result().Outcome, "the body may have had the vendor's code")
		}
	}
}

func TestTheTransportErrorDecidesWithoutAResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply relay.Response
		want  relay.Result
	}{
		"a failed connection is retried":                    {relay.Response{TransportError: relay.TransportConnect}, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}},
		"a forbidden address is rejected":                   {relay.Response{TransportError: relay.TransportAddress}, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonAddressRefused}},
		"a malformed URL is rejected":                       {relay.Response{TransportError: relay.TransportBadURL}, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonAddressRefused}},
		"a time-out before the send is retried":             {relay.Response{TransportError: relay.TransportTimeout}, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonTimeout}},
		"a time-out after a repeatable send is retried":     {relay.Response{TransportError: relay.TransportTimeout, Sent: true, Repeatable: true}, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonTimeout}},
		"a time-out after sending anything else is unknown": {relay.Response{TransportError: relay.TransportTimeout, Sent: true}, relay.Result{Outcome: relay.Unknown, Reason: relay.ReasonUnknown}},
		"a cut after a repeatable send is retried":          {relay.Response{TransportError: relay.TransportCut, Sent: true, Repeatable: true}, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}},
		"a cut after sending anything else is unknown":      {relay.Response{TransportError: relay.TransportCut, Sent: true}, relay.Result{Outcome: relay.Unknown, Reason: relay.ReasonUnknown}},
		"a cut before the send is retried":                  {relay.Response{TransportError: relay.TransportCut}, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}},
		"nothing at all is not accepted":                    {relay.Response{}, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonBadRequest}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.reply.Result())
		})
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	in := noon.Add(90 * time.Second)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 7 ": 7 * time.Second, "0": 0, "-5": 0, "": 0, "soon": 0, "1e3": 0, "NaN": 0, "Inf": 0, "0x10": 0,
		"1.5": 1500 * time.Millisecond, "0.2": 200 * time.Millisecond, "3.": 3 * time.Second, "-0.5": 0, "+2": 2 * time.Second,
		"86401":                                   86401 * time.Second,
		"99999999999":                             10 * 365 * 24 * time.Hour,
		"99999999999999999999999":                 10 * 365 * 24 * time.Hour, // no int holds it; still a request to wait
		"-99999999999999999999999":                0,
		in.Format(http.TimeFormat):                90 * time.Second,
		in.Format(time.RFC850):                    90 * time.Second,
		in.Format(time.ANSIC):                     90 * time.Second,
		noon.Add(-time.Hour).Format(time.RFC1123): 0,
	} {
		for _, status := range []int{429, 503, 200} {
			r := responded(status)
			r.Header = map[string]string{"Retry-After": value}
			require.Equal(t, want, r.RetryAfter(), value)
			require.Equal(t, want, r.Result().RetryAfter, value)
		}
	}
	require.Zero(t, responded(429).RetryAfter())
}

func TestADateOfRetryAfterIsMeasuredByTheServersClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		date, until string
		want        time.Duration
	}{
		"a server an hour behind":     {noon.Add(-time.Hour).Format(http.TimeFormat), noon.Add(-time.Hour + time.Minute).Format(http.TimeFormat), time.Minute},
		"a server an hour ahead":      {noon.Add(time.Hour).Format(http.TimeFormat), noon.Add(time.Hour + time.Minute).Format(http.TimeFormat), time.Minute},
		"a moment that is over":       {noon.Format(http.TimeFormat), noon.Add(-time.Second).Format(http.TimeFormat), 0},
		"other forms":                 {noon.Add(-time.Hour).Format(time.ANSIC), noon.Format(time.RFC850), time.Hour},
		"no Date: our clock":          {"", noon.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		"an unreadable Date likewise": {"now", noon.Add(time.Minute).Format(http.TimeFormat), time.Minute},
	} {
		r := responded(503)
		r.Header = map[string]string{"Retry-After": c.until, "Date": c.date}
		require.Equal(t, c.want, r.RetryAfter(), name)
	}
}

func TestHeadersAreFoundInAnyCase(t *testing.T) {
	t.Parallel()
	r := relay.Response{Header: map[string]string{"X-Request-Id": "r1"}}
	require.Equal(t, "r1", r.Get("x-request-id"))
	require.Empty(t, r.Get("X-Other"))
}

func TestWebPagesAreRecognised(t *testing.T) {
	t.Parallel()
	const html, json = "text/html; charset=utf-8", "application/json"
	for name, c := range map[string]struct {
		contentType, body string
		want              bool
	}{
		"a page":                                 {html, "<!DOCTYPE html><html></html>", true},
		"a page without a doctype":               {"", "<HTML><body>", true},
		"a page that calls itself JSON":          {json, "<!doctype html>", true},
		"a page behind white space":              {"", strings.Repeat(" \r\n\t", 40) + "<!doctype html>", true},
		"a page behind a byte order mark":        {"", "\ufeff<!doctype html>", true},
		"a fragment under its header":            {"TEXT/HTML", "<p>Not here</p>", true},
		"an empty body under that header is not": {html, "", false},
		"text under that header is not":          {html, "ok", false},
		"JSON under that header is not":          {html, `{"timestamp":1}`, false},
		"JSON is not":                            {json, `{"a":"<html>"}`, false},
		"XML is not":                             {"text/xml", `<?xml version="1.0"?><ok/>`, false},
		"nothing is not":                         {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := relay.Response{Body: []byte(c.body), Header: map[string]string{"Content-Type": c.contentType}}
			require.Equal(t, c.want, r.IsHTML())
		})
	}
}
