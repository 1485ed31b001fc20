package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// pythonTokens are the tokens of testdata/fernet/make.py.
type pythonTokens struct {
	First, Second string
	Tokens        []struct{ Key, Plain, Token string }
}

func TestEveryTokenThatPythonMadeIsRead(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/fernet/tokens.json")
	require.NoError(t, err)
	var made pythonTokens
	require.NoError(t, json.Unmarshal(b, &made))
	require.NotEmpty(t, made.Tokens)
	both, err := db.NewKeys(made.Second + "," + made.First)
	require.NoError(t, err)
	first, err := db.NewKeys(made.First)
	require.NoError(t, err)
	for _, c := range made.Tokens {
		got, err := both.Decrypt(c.Token)
		require.NoError(t, err)
		require.Equal(t, c.Plain, got.Reveal())
		if c.Key == "second" {
			_, err = first.Decrypt(c.Token)
			require.ErrorIs(t, err, relay.ErrUnreadable)
		}
	}
}

// TestPythonReadsTokensOfTheRelay needs python3 with cryptography. Without it the test is skipped, unless PYTHON=required,
// as in CI.
func TestPythonReadsTokensOfTheRelay(t *testing.T) {
	t.Parallel()
	key, err := db.GenerateKey()
	require.NoError(t, err)
	older, err := db.GenerateKey()
	require.NoError(t, err)
	young, err := db.NewKeys(key)
	require.NoError(t, err)
	old, err := db.NewKeys(older)
	require.NoError(t, err)

	plain := []string{"s", "your_api_secret", "schlüssel-€", `{"access_token":"EAAB","pixel_id":"123"}`, strings.Repeat("x", 5000), ""}
	asked := struct {
		Keys   string   `json:"keys"`
		Tokens []string `json:"tokens"`
	}{Keys: key}
	for _, p := range plain {
		token, err := young.Encrypt(relay.NewSecret(p))
		require.NoError(t, err)
		asked.Tokens = append(asked.Tokens, token)
	}
	foreign, err := old.Encrypt(relay.NewSecret("of another key"))
	require.NoError(t, err)
	asked.Tokens = append(asked.Tokens, foreign)

	var got []*string
	require.NoError(t, json.Unmarshal(python(t, "testdata/fernet/read.py", asked), &got))
	require.Len(t, got, len(plain)+1)
	for i, p := range plain {
		require.NotNil(t, got[i])
		require.Equal(t, p, *got[i])
	}
	require.Nil(t, got[len(plain)], "Python has not been given that key")

	asked.Keys = key + "," + older
	require.NoError(t, json.Unmarshal(python(t, "testdata/fernet/read.py", asked), &got))
	require.Equal(t, "of another key", *got[len(plain)])
}

// python runs a script. Another python3 on the PATH may hide Debian's, which has the library.
func python(t *testing.T, script string, in any) []byte {
	t.Helper()
	b, err := json.Marshal(in)
	require.NoError(t, err)
	var said error
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		cmd := exec.CommandContext(t.Context(), name, script)
		cmd.Stdin = bytes.NewReader(b)
		var out, trouble bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &trouble
		err := cmd.Run()
		if err == nil {
			return out.Bytes()
		}
		var exit *exec.ExitError
		lacks := errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.As(err, &exit) && exit.ExitCode() == 3
		require.True(t, lacks, "%s: %s %s", name, err, trouble.String())
		said = err
	}
	if os.Getenv("PYTHON") == "required" {
		t.Fatalf("no python3 with cryptography: %s", said)
	}
	t.Skip("no python3 with cryptography: apt-get install python3-cryptography")
	return nil
}
