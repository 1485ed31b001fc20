package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
)

func TestADeliveryIsRecordedAsItArrived(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	before := time.Now()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		client.BaseURL+"/mp/collect?measurement_id=G-1&api_secret=x", strings.NewReader(ga4("e-1")))
	require.NoError(t, err)
	request.Header.Add("X-Twice", "a")
	request.Header.Add("X-Twice", "b")
	status, _, err := send(request)
	require.NoError(t, err)
	require.Equal(t, 200, status)

	got, err := client.Requests(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, []string{"a", "b"}, got[0].Headers["X-Twice"])
	require.WithinRange(t, got[0].Time, before, time.Now())
	got[0].Headers, got[0].Time = nil, time.Time{}
	require.Equal(t, sandbox.Request{
		Seq: 1, Method: "POST", Path: "/mp/collect", Query: "measurement_id=G-1&api_secret=x",
		Body: ga4("e-1"), Key: "e-1", Answer: "200",
	}, got[0])
}

func TestScriptedResponsesAreReturnedInOrderAndThenTheLast(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	require.NoError(t, client.Answer(t.Context(), sandbox.Rule{
		Path: "/mp", Answers: []sandbox.Answer{{Status: 503, Headers: map[string]string{"Retry-After": "7"}, Body: "later"}, {Status: 500}},
		Then: sandbox.Answer{Status: 204},
	}))
	var got []string
	for range 4 {
		request := post(t, client.BaseURL+"/mp/collect", "{}")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		got = append(got, fmt.Sprintf("%d%s%s", response.StatusCode, response.Header.Get("Retry-After"), body))
	}
	require.Equal(t, []string{"5037later", "500", "204", "204"}, got)
}

func TestEachEventReceivesTheResponsesOfItsOwn(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: "/mp", Answers: []sandbox.Answer{{Status: 503}, {Status: 500}}, EachEvent: true}))
	var got []int
	for _, event := range []string{"e-1", "e-1", "e-2", "e-1", "e-2", "e-2"} {
		got = append(got, mustPost(t, client, "/mp/collect", ga4(event)))
	}
	require.Equal(t, []int{503, 500, 503, 200, 500, 200}, got)
}

func TestTheLongestMatchingPathWins(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	for path, status := range map[string]int{"/": 201, "/platform/": 202, "/platform/meta": 203} {
		require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: path, Then: sandbox.Answer{Status: status}}))
	}
	require.Equal(t, 201, mustPost(t, client, "/mp/collect", ""))
	require.Equal(t, 202, mustPost(t, client, "/platform/ga4", ""))
	require.Equal(t, 203, mustPost(t, client, "/platform/meta", ""))

	require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: "/platform/meta", Then: sandbox.Answer{Status: 206}}))
	require.Equal(t, 206, mustPost(t, client, "/platform/meta", ""), "the same path is replaced")
	require.NoError(t, client.ClearAnswers(t.Context()))
	require.Equal(t, 200, mustPost(t, client, "/platform/meta", ""))
}

func TestThePayloadDoesNotChangeTheResponse(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	require.Equal(t, 200, mustPost(t, client, "/mp/collect", `{"status":503,"answers":[{"status":500}],"action":"reset"}`))
}

func TestActions(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	script := func(a sandbox.Answer) {
		require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: "/", Then: a}))
	}

	script(sandbox.Answer{Action: sandbox.ActionReset})
	_, _, err := send(post(t, client.BaseURL+"/x", ""))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	script(sandbox.Answer{Action: sandbox.ActionTruncate, Body: `{"half":`})
	_, body, err := send(post(t, client.BaseURL+"/x", ""))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, `{"half":`, body)

	script(sandbox.Answer{Action: sandbox.ActionHang})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err = send(post(t, client.BaseURL+"/x", "").WithContext(ctx))
	require.ErrorIs(t, err, context.DeadlineExceeded)

	script(sandbox.Answer{DelayMS: 60})
	start := time.Now()
	require.Equal(t, 200, mustPost(t, client, "/x", ""))
	require.GreaterOrEqual(t, time.Since(start), 60*time.Millisecond)

	got, err := client.Requests(t.Context(), "", 0)
	require.NoError(t, err)
	var answers []string
	for _, r := range got {
		answers = append(answers, r.Answer)
	}
	require.Equal(t, []string{"reset", "truncate", "hang", "200"}, answers, "a delivery without a response is recorded, too")
}

func TestTheLatestRequestsAreKeptAndAllAreCounted(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{Keep: 3})
	for _, key := range []string{"a", "b", "a", "c"} {
		mustPost(t, client, "/platform/"+key, ga4(key))
	}
	mustPost(t, client, "/other", "no key")
	counts, err := client.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, sandbox.Counts{
		Total:  5,
		ByPath: map[string]int64{"/platform/a": 2, "/platform/b": 1, "/platform/c": 1, "/other": 1},
		ByKey:  map[string]int64{"a": 2, "b": 1, "c": 1, "": 1},
	}, counts)

	kept, err := client.Requests(t.Context(), "", 0)
	require.NoError(t, err)
	require.Equal(t, []int64{3, 4, 5}, seqs(kept))
	some, err := client.Requests(t.Context(), "/platform", 3)
	require.NoError(t, err)
	require.Equal(t, []int64{4}, seqs(some))

	require.NoError(t, client.Clear(t.Context()))
	total, err := client.Total(t.Context())
	require.NoError(t, err)
	require.Zero(t, total)
	mustPost(t, client, "/x", "")
	kept, err = client.Requests(t.Context(), "", 0)
	require.NoError(t, err)
	require.Equal(t, []int64{1}, seqs(kept))
}

func TestTheKeptBodiesAreBounded(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Options{})
	big := strings.Repeat("x", 3<<20)
	for range 30 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", strings.NewReader(big))
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	require.Len(t, s.Requests("", 0), 64/3)
	require.Equal(t, int64(30), s.Total())
}

func TestASinkCountsAndStoresNothing(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{Sink: true, KeyField: "transaction_id"})
	require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: "/", Then: sandbox.Answer{Status: 503}}))
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() {
			for j := range 25 {
				mustPost(t, client, "/mp/collect", fmt.Sprintf(`{"events":[{"params":{"transaction_id":"o-%d"}}]}`, i*25+j))
			}
		})
	}
	senders.Wait()
	arrivals, err := client.Arrivals(t.Context())
	require.NoError(t, err)
	require.Len(t, arrivals, 100)
	for _, a := range arrivals {
		require.Equal(t, 1, a.Count)
		require.WithinDuration(t, time.Now(), a.First, time.Minute)
	}
	kept, err := client.Requests(t.Context(), "", 0)
	require.NoError(t, err)
	require.Empty(t, kept)
	require.Equal(t, 200, mustPost(t, client, "/x", ""))
}

func TestTheKeyIsTheFieldsValue(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"event_id":"a"}`:                          "a",
		`{"x": {"event_id" : "a b"}}`:               "a b",
		`{"name":"event_id","event_id":"b"}`:        "b",
		`{"note":"\"event_id\":\"no\"","x":1}`:      "",
		`{"event_id":7,"more":{"event_id":"text"}}`: "text",
		`{"event_id":"cut`:                          "",
		`{"event_id"`:                               "",
		`not json`:                                  "",
	} {
		s := sandbox.New(sandbox.Options{})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", strings.NewReader(body))
		s.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, want, s.Requests("", 0)[0].Key, body)
	}
}

func TestAnInvalidScriptIsRefused(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	for script, want := range map[string]string{
		`{"path":"/x","answer":[]}`:                 `unknown field "answer"`,
		`{"path":"/x","answers":[{"status":99}]}`:   "status 99",
		`{"path":"/x","then":{"action":"explode"}}`: `action "explode"`,
		`{"path":"/x","then":{"delay_ms":-1}}`:      "delay_ms -1",
		`{"path":"x"}`:                              `path "x"`,
		`{`:                                         "unexpected EOF",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, client.BaseURL+"/_control/answers", strings.NewReader(script))
		require.NoError(t, err)
		status, body, err := send(request)
		require.NoError(t, err)
		require.Equal(t, 400, status, script)
		require.Contains(t, body, want)
	}
	require.ErrorContains(t, client.Answer(t.Context(), sandbox.Rule{}), `path ""`)
}

func TestThePageShowsRequestsAndEscapesTheirContent(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	mustPost(t, client, "/mp/collect", `{"a":"<script>alert(1)</script>"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.BaseURL+"/", http.NoBody)
	require.NoError(t, err)
	status, body, err := send(request)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Contains(t, body, "/mp/collect")
	require.NotContains(t, body, "<script>")
}

func serve(t *testing.T, o sandbox.Options) sandbox.Client {
	t.Helper()
	server := httptest.NewServer(sandbox.New(o))
	t.Cleanup(server.Close)
	return sandbox.Client{BaseURL: server.URL}
}

func ga4(id string) string {
	return `{"client_id":"1.2","events":[{"name":"purchase","params":{"value":80.79,"event_id":"` + id + `"}}]}`
}

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	return request
}

func mustPost(t *testing.T, c sandbox.Client, path, body string) int {
	t.Helper()
	status, _, err := send(post(t, c.BaseURL+path, body))
	require.NoError(t, err)
	return status
}

func send(request *http.Request) (status int, body string, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	raw, err := io.ReadAll(response.Body)
	return response.StatusCode, string(raw), errors.Join(err, response.Body.Close())
}

func seqs(requests []sandbox.Request) []int64 {
	var all []int64
	for _, r := range requests {
		all = append(all, r.Seq)
	}
	return all
}
