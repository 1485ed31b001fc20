package relay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

const plain = "EAAB-plain-token"

// holder has the secret where fmt calls no method: in an unexported field.
type holder struct {
	Name   string
	secret relay.Secret
	all    map[string]relay.Secret
}

func TestSecretIsHiddenUnderEveryVerb(t *testing.T) {
	t.Parallel()
	s := relay.NewSecret(plain)
	h := holder{"meta", s, map[string]relay.Secret{"token": s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T|%[1]v", "%10.3s", "%t", "%p"} {
		for _, value := range []any{s, &s, []relay.Secret{s}, map[string]relay.Secret{"a": s}, struct{ S relay.Secret }{s}, h, &h} {
			printed := fmt.Sprintf(verb, value)
			require.NotContains(t, printed, plain, verb)
			require.NotContains(t, printed, fmt.Sprintf("%x", plain), verb)
			require.NotContains(t, printed, fmt.Sprintf("%X", plain), verb)
		}
	}
	require.Equal(t, "[secret]", fmt.Sprint(s))
	require.Equal(t, "[secret]", s.String())
	require.Equal(t, "[secret]", fmt.Sprint(relay.Secret{}), "an absent one looks the same")
	require.NotEmpty(t, h.all)
	require.True(t, h.secret.IsSet())
}

func TestSecretIsHiddenFromJSONAndLogs(t *testing.T) {
	t.Parallel()
	s := relay.NewSecret(plain)
	b, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": []relay.Secret{s}})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"[secret]","b":"[secret]","c":["[secret]"]}`, string(b))

	var out bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
		l.Info("x", "secret", s, "pointer", &s, "group", slog.GroupValue(slog.Any("s", s)), "map", map[string]relay.Secret{"a": s},
			"struct", struct{ S relay.Secret }{s}, "holder", holder{"meta", s, nil})
	}
	require.NotContains(t, out.String(), plain)
	require.Contains(t, out.String(), "[secret]")
}

func TestOnlyRevealReturnsASecret(t *testing.T) {
	t.Parallel()
	require.Equal(t, plain, relay.NewSecret(plain).Reveal())
	require.True(t, relay.NewSecret(plain).IsSet())
	require.Empty(t, relay.Secret{}.Reveal())
	require.False(t, relay.Secret{}.IsSet())
	require.False(t, relay.NewSecret("").IsSet())

	var in struct{ Token, Other relay.Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"token":"`+plain+`","other":""}`), &in))
	require.Equal(t, plain, in.Token.Reveal())
	require.False(t, in.Other.IsSet())
}
