package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
)

// reading counts the bytes taken from it, and may end in an error.
type reading struct {
	r    io.Reader
	err  error
	read int
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.read += n
	if err == io.EOF && r.err != nil {
		err = r.err
	}
	return n, err
}

func packed(t testing.TB, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestBodyIsRefused(t *testing.T) {
	t.Parallel()
	good := event()
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		field  string
		offset int64 // -1 where there is none
	}{
		"empty":                        {``, 400, "malformed_json", "", 0},
		"white space":                  {" \n", 400, "malformed_json", "", 2},
		"no JSON":                      {`data=1`, 400, "malformed_json", "", 0},
		"cut off":                      {`{"data":[` + good, 400, "malformed_json", "", int64(9 + len(good))},
		"broken in an item, unquoted":  {`{"data":[{"a":"5" pipe"}]}`, 400, "malformed_json", "", 18},
		"brackets that do not match":   {`{"data":[{"a":[1}]}`, 400, "malformed_json", "", 16},
		"an item left out":             {`{"data":[` + good + `,,` + good + `]}`, 400, "malformed_json", "", int64(10 + len(good))},
		"a comma behind the last item": {`{"data":[` + good + `,]}`, 400, "malformed_json", "", int64(9 + len(good))},
		"items without a comma":        {`{"data":[` + good + good + `]}`, 400, "malformed_json", "", int64(9 + len(good))},
		"broken in an item and behind": {`{"data":[{"a":NaN}],}`, 400, "malformed_json", "", 19},
		"broken after a good item":     {`{"data":[` + good + `,{"a" 1}]}`, 400, "malformed_json", "", int64(9 + len(good) + 6)},
		"trailing comma":               {`{"data":[],}`, 400, "malformed_json", "", 10},
		"trailing text":                {`{"data":[]} x`, 400, "malformed_json", "", 12},
		"a second document":            {`{"data":[]}{"data":[]}`, 400, "malformed_json", "", 11},
		"broken in an unknown member":  {`{"next_url":tru}`, 400, "malformed_json", "", 15},
		"broken where data begins":     {`{"data":?}`, 400, "malformed_json", "", 8},
		"a list":                       {`[` + good + `]`, 400, "not_an_object", "", -1},
		"a string":                     {`"data"`, 400, "not_an_object", "", -1},
		"without data":                 {`{"count":0}`, 422, "missing_field", "data", -1},
		"with data null":               {`{"data":null}`, 422, "missing_field", "data", -1},
		"with Data in another case":    {`{"Data":[]}`, 422, "missing_field", "data", -1},
		"with data an object":          {`{"data":{}}`, 422, "wrong_type", "data", -1},
		"with data a string":           {`{"data":""}`, 422, "wrong_type", "data", -1},
		"with data twice":              {`{"data":[],"data":[]}`, 422, "repeated_field", "data", -1},
		"with more than 10,000 items":  {`{"data":[` + strings.Repeat("1,", 10_000) + `1]}`, 413, "too_many_items", "data", -1},
		"larger than MAX_BODY_BYTES":   {`{"data":[],"x":"` + strings.Repeat("x", 1<<16) + `"}`, 413, "body_too_large", "", -1},
		"deeper than anybody can read": {`{"data":` + strings.Repeat("[", 10_001), 400, "malformed_json", "", 10_007},
	} {
		t.Run(fmt.Sprintf("%s is %d %s", name, c.status, c.code), func(t *testing.T) {
			t.Parallel()
			r := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1 << 16 })
			a := r.post(t, c.body)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, c.code, a.Code)
			require.Equal(t, c.field, a.Field)
			if c.offset < 0 {
				require.Nil(t, a.Offset)
			} else {
				require.NotNil(t, a.Offset)
				require.Equal(t, c.offset, *a.Offset)
			}
			require.Zero(t, r.inbox.inserts)
		})
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	const zeros = `{"accepted":0,"duplicates":0,"rejected":0,"errors":[]}`
	for name, body := range map[string]string{
		"empty data":               `{"data":[]}`,
		"data last":                `{"count":0,"error":"","next_index":"","next_url":"","previous_index":"","previous_url":"","data":[]}`,
		"numbers as indices":       `{"data":[],"next_index":1000,"previous_index":0}`,
		"null, lists and objects":  `{"data":[],"count":null,"next_index":null,"error":{"a":[1]},"next_url":[]}`,
		"unknown members":          `{"data":[],"page":{"data":[1]},"total":"many"}`,
		"a count in quotes":        `{"data":[],"count":"0"}`,
		"a count that is no count": `{"data":[],"count":"all"}`,
		"an escaped name":          `{"d\u0061ta":[]}`,
	} {
		t.Run(name+" is 202 with zeros", func(t *testing.T) {
			t.Parallel()
			r := newTest(t)
			a := r.post(t, body)
			require.Equal(t, http.StatusAccepted, a.status)
			require.JSONEq(t, zeros, a.text)
			require.Zero(t, r.inbox.inserts)
		})
	}
	for _, count := range []string{`4000`, `"4000"`} {
		t.Run("a count of "+count+" beside one item is a warning", func(t *testing.T) {
			t.Parallel()
			a := newTest(t).post(t, `{"count":`+count+`,"data":[`+event()+`]}`)
			require.Equal(t, 1, a.Accepted)
			require.Equal(t, []string{"-  count count_mismatch"}, brief(a.Warnings))
		})
	}
	t.Run("10,000 items are accepted", func(t *testing.T) {
		t.Parallel()
		items := make([]string, 10_000)
		for n := range items {
			items[n] = order(n)
		}
		require.Equal(t, 10_000, newTest(t).items(t, items...).Accepted)
	})
}

func TestReadingStopsEarly(t *testing.T) {
	t.Parallel()
	t.Run("at the first item too many", func(t *testing.T) {
		t.Parallel()
		body := &reading{r: strings.NewReader(`{"data":[` + strings.Repeat("1,", 1<<20) + `1]}`)}
		a := newTest(t).answer(t, request(body))
		require.Equal(t, "too_many_items", a.Code)
		require.Less(t, body.read, 1<<16)
	})
	t.Run("at the first byte too many", func(t *testing.T) {
		t.Parallel()
		body := &reading{r: strings.NewReader(`{"data":[` + strings.Repeat(" ", 1<<20) + `]}`)}
		a := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1000 }).answer(t, request(body))
		require.Equal(t, "body_too_large", a.Code)
		require.Equal(t, 1001, body.read)
	})
	t.Run("before the first byte where Content-Length says so", func(t *testing.T) {
		t.Parallel()
		body := &reading{r: strings.NewReader(`{}`)}
		req := request(body)
		req.ContentLength = 1001
		a := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1000 }).answer(t, req)
		require.Equal(t, "body_too_large", a.Code)
		require.Zero(t, body.read)
	})
	t.Run("but a body of exactly the limit is read", func(t *testing.T) {
		t.Parallel()
		body := `{"data":[]}`
		r := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = int64(len(body)) })
		require.Equal(t, http.StatusAccepted, r.post(t, body).status)
		require.Equal(t, http.StatusAccepted, r.answer(t, request(&reading{r: strings.NewReader(body)})).status)
	})
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	batch := `{"data":[` + event() + `]}`
	whole := packed(t, batch)
	bomb := packed(t, `{"data":[`+strings.Repeat(" ", 1<<20)+`]}`)
	wrongSum := append(bytes.Clone(whole[:len(whole)-8]), 1, 2, 3, 4, 5, 6, 7, 8)
	for name, c := range map[string]struct {
		coding string
		body   []byte
		status int
		code   string
	}{
		"gzip":                     {"gzip", whole, 202, ""},
		"GZIP":                     {"GZIP", whole, 202, ""},
		"x-gzip":                   {"x-gzip", whole, 202, ""},
		"identity":                 {"identity", []byte(batch), 202, ""},
		"gzip in two members":      {"gzip", append(packed(t, batch[:20]), packed(t, batch[20:])...), 202, ""},
		"plain text called gzip":   {"gzip", []byte(batch), 400, "malformed_gzip"},
		"nothing called gzip":      {"gzip", nil, 400, "malformed_gzip"},
		"gzip with a wrong sum":    {"gzip", wrongSum, 400, "malformed_gzip"},
		"gzip with a tail":         {"gzip", append(bytes.Clone(whole), "tail of text"...), 400, "malformed_gzip"},
		"gzip cut off":             {"gzip", whole[:len(whole)-20], 400, "incomplete_body"},
		"gzip that unpacks to 1MB": {"gzip", bomb, 413, "body_too_large"},
		"gzip of endless nothing":  {"gzip", bytes.Repeat(packed(t, ""), 4000), 413, "body_too_large"},
		"br":                       {"br", whole, 415, "unsupported_encoding"},
		"gzip twice":               {"gzip, gzip", whole, 415, "unsupported_encoding"},
	} {
		t.Run(fmt.Sprintf("%s is %d", name, c.status), func(t *testing.T) {
			t.Parallel()
			r := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1 << 16 })
			req := request(bytes.NewReader(c.body))
			req.ContentLength = -1
			req.Header.Set("Content-Encoding", c.coding)
			a := r.answer(t, req)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, c.code, a.Code)
			if c.status == 202 {
				require.Equal(t, event(), string(r.inbox.rows[0].Payload))
			}
			if c.status == 415 {
				require.Equal(t, "gzip", a.header.Get("Accept-Encoding"))
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for contentType, status := range map[string]int{
		"":                                  202,
		"application/json":                  202,
		"Application/JSON; charset=utf-8":   202,
		"application/vnd.oms.events+json":   202,
		"application/json; charset=":        202,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"application/jsonp":                 415,
		"nonsense/":                         415,
	} {
		t.Run(fmt.Sprintf("%q is %d", contentType, status), func(t *testing.T) {
			t.Parallel()
			req := request(strings.NewReader(`{"data":[]}`))
			req.Header.Set("Content-Type", contentType)
			a := newTest(t).answer(t, req)
			require.Equal(t, status, a.status)
			if status == 415 {
				require.Equal(t, "unsupported_media_type", a.Code)
			}
		})
	}
}

func TestBodyDoesNotArrive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"a client that hangs up": {io.ErrUnexpectedEOF, 400, "incomplete_body"},
		"a broken connection":    {errors.New("connection reset"), 400, "incomplete_body"},
		"a time-out":             {os.ErrDeadlineExceeded, 408, "request_timeout"},
	} {
		t.Run(fmt.Sprintf("%s is %d", name, c.status), func(t *testing.T) {
			t.Parallel()
			a := newTest(t).answer(t, request(&reading{r: strings.NewReader(`{"data":[{"a":`), err: c.err}))
			require.Equal(t, c.status, a.status)
			require.Equal(t, c.code, a.Code)
		})
	}
	t.Run("a client that leaves while its batch is stored is told apart from our errors", func(t *testing.T) {
		t.Parallel()
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.err = context.Canceled })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req := request(strings.NewReader(`{"data":[` + event() + `]}`)).WithContext(ctx)
		require.Equal(t, "client_gone", r.answer(t, req).Code)
		r.starter.idle(t)
	})
	t.Run("a database that is slower than our patience is 503", func(t *testing.T) {
		t.Parallel()
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.err = context.DeadlineExceeded })
		require.Equal(t, "database_unavailable", r.items(t, event()).Code)
	})
}
