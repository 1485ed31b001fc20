package relay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestRedactedURLHasNoSecretInIt(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://tags.example.com/mp/collect?measurement_id=G-1&api_secret=s3cret": "https://tags.example.com/mp/collect?api_secret=…&measurement_id=…",
		"https://user:s3cret@tags.example.com/a":                                   "https://tags.example.com/a",
		"https://tags.example.com/a#s3cret":                                        "https://tags.example.com/a",
		"https://tags.example.com/a?#s3cret":                                       "https://tags.example.com/a",
		"https://tags.example.com/a?s3cret@x":                                      "https://tags.example.com/a?…",
		"https://tags.example.com/a?a=1&a=s3cret&b%20c=s3cret":                     "https://tags.example.com/a?a=…&b+c=…",
		"https://tags.example.com/a?%zz=s3cret&b=1":                                "https://tags.example.com/a?b=…",
		"https://tags.example.com/a?x=1;api_secret=s3cret":                         "https://tags.example.com/a",
		"https://tags.example.com/ä b":                                             "https://tags.example.com/%C3%A4%20b",
		"http://[::1]:8080/a?b=s3cret":                                             "http://[::1]:8080/a?b=…",
		"mailto:s3cret@example.com":                                                "[secret]",
		"https://tags.example.com/%zz?a=s3cret":                                    "[secret]",
		"https://tags.exa mple.com/?a=s3cret":                                      "[secret]",
		"https://tags.example.com/\x00?a=s3cret":                                   "[secret]",
		"":                                                                         "",
	} {
		got := relay.RedactURL(raw)
		require.Equal(t, want, got)
		require.NotContains(t, got, "s3cret")
		require.Equal(t, want, relay.RedactURL(got), "once is enough")
	}
}

func TestRequestPrintsLogsAndMarshalsWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	r := relay.Request{Method: "POST", URL: "https://tags.example.com/mp/collect?api_secret=s3cret",
		Header: map[string]string{"Authorization": "s3cret"}, Body: []byte(`{"email":"s3cret"}`)}
	const want = "POST https://tags.example.com/mp/collect?api_secret=…"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, want, fmt.Sprintf(verb, r), verb)
		require.Equal(t, want, fmt.Sprintf(verb, &r), verb)
		require.NotContains(t, fmt.Sprintf(verb, map[string]any{"a": r, "b": []relay.Request{r}}), "s3cret", verb)
	}
	b, err := json.Marshal(map[string]any{"r": r, "p": &r})
	require.NoError(t, err)
	require.JSONEq(t, `{"r":"`+want+`","p":"`+want+`"}`, string(b))
	var out bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
		l.Info("x", "request", r, "pointer", &r)
	}
	require.NotContains(t, out.String(), "s3cret")
	require.Contains(t, out.String(), want)
}

func TestRefusalNamesReasonAndField(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("wrapped: %w", relay.Refuse(relay.ReasonMissingField, "order_id"))
	var r *relay.Refusal
	require.ErrorAs(t, err, &r)
	require.Equal(t, relay.Refusal{Reason: relay.ReasonMissingField, Field: "order_id"}, *r)
	require.EqualError(t, r, "missing_field: order_id")
	require.EqualError(t, relay.Skip(relay.ReasonNotMapped), "not_mapped")
	require.True(t, errors.As(relay.Skip(relay.ReasonNotMapped), &r) && r.Skip)
}

func TestDenyWinsOverAllow(t *testing.T) {
	t.Parallel()
	require.True(t, relay.Options{}.Allows("utm_source"))
	o := relay.Options{Allow: []string{"utm_source", "email"}, Deny: []string{"email"}}
	require.True(t, o.Allows("utm_source"))
	require.False(t, o.Allows("email"))
	require.False(t, o.Allows("utm_medium"), "an allow-list is whole")
	require.False(t, o.Denies("utm_medium"), "not forbidden by name")
	require.False(t, relay.Options{Deny: []string{"email"}}.Allows("email"))
	require.True(t, relay.Options{Deny: []string{"email"}}.Allows("utm_source"))
}
