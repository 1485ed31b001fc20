package db_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// The keys and tokens of this file were made by Python's cryptography 48.0.0.
const (
	testKey   = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	secondKey = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="

	pythonToken  = "gAAAAABrBJgXAAECAwQFBgcICQoLDA0OD2Xz37SKh9pJ8lYwS7DZhFOOnOTm_vjdSoldxuxfZyjD2XdCGnlSWNxGJLUtS-N8gA=="
	pythonEmpty  = "gAAAAABrBJgXAAECAwQFBgcICQoLDA0OD8raZQk73-3iT23122CuThg-jaXTucYB-00KQViFgavtPywhHRhT3hyOTdyG88ZV_A=="
	pythonUTF8   = "gAAAAABrBJgXAAECAwQFBgcICQoLDA0OD7McJ60iMDOElnt9aILWi84PlGdbtElppJW-zGnvPJhjPJ2Zrnb_ychrBwg0UsCUsXGmUew-5M7h1Ky6IJB5us4ZX7it1zL664xSutiBUKoH8vdKTT7O_qf4nOgf-7X2Og=="
	pythonOld    = "gAAAAABo9UAXAAECAwQFBgcICQoLDA0ODxKqdDIDpverPNj6y5cTvv-1GT01Nqr0HDfriqG8Q-tUvLM0I3-GT30gRVA3_vrgmw=="
	pythonFuture = "gAAAAAD0hlcAAAECAwQFBgcICQoLDA0OD5yzwakF6WwzBBu6iyXH-7SMNAe2Mw9Bn-GNEdwKuGlObD6EhnjNhUN7ByLAF_mP7w=="
	pythonSecond = "gAAAAABrBJgXAAECAwQFBgcICQoLDA0ODyW8anqPvHWYH1P33L2yKAeuldHuA91s_xCcoyw8m_ZBlmPO6g2qAoRPwrPb5_ZciA=="
)

func TestKeysReadTokensOfPython(t *testing.T) {
	t.Parallel()
	keys, err := db.NewKeys(testKey + ", " + secondKey)
	require.NoError(t, err)
	for token, plain := range map[string]string{
		pythonToken:  "your_api_secret",
		pythonEmpty:  "",
		pythonUTF8:   `{"access_token":"schlüssel-€","pixel_id":"123"}`,
		pythonOld:    "old",
		pythonFuture: "future",
		pythonSecond: "second",
	} {
		got, err := keys.Decrypt(token)
		require.NoError(t, err)
		require.Equal(t, plain, got.Reveal())
	}
}

func TestFirstKeyEncryptsAndEveryKeyDecrypts(t *testing.T) {
	t.Parallel()
	before, err := db.NewKeys(testKey)
	require.NoError(t, err)
	after, err := db.NewKeys(secondKey + "," + testKey)
	require.NoError(t, err)

	old, err := before.Encrypt(relay.NewSecret("schlüssel"))
	require.NoError(t, err)
	got, err := after.Decrypt(old)
	require.NoError(t, err)
	require.Equal(t, "schlüssel", got.Reveal())

	young, err := after.Encrypt(relay.NewSecret("schlüssel"))
	require.NoError(t, err)
	_, err = before.Decrypt(young)
	require.ErrorIs(t, err, relay.ErrUnreadable)
	require.NotContains(t, err.Error(), young)
}

func TestAStoredValueThatIsNotATokenIsReadUnchanged(t *testing.T) {
	t.Parallel()
	keys, err := db.NewKeys(testKey)
	require.NoError(t, err)
	for _, bare := range []string{"", "your_api_secret", "gAAAAA", "gAAAAABno token at all", `{"pixel_id": "1"}`, pythonToken[:40], pythonToken + "x"} {
		got, err := keys.Decrypt(bare)
		require.NoError(t, err)
		require.Equal(t, bare, got.Reveal())
	}
	_, err = (&db.Keys{}).Decrypt(pythonToken)
	require.ErrorIs(t, err, relay.ErrUnreadable)
	_, err = (&db.Keys{}).Encrypt(relay.NewSecret("x"))
	require.ErrorContains(t, err, "no encryption key")
}

func TestKeysRefuseTheKeysThatPythonRefuses(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{
		"nothing":       " ",
		"a short key":   testKey[:43],
		"no padding":    strings.TrimRight(testKey, "=") + "A",
		"hex":           strings.Repeat("0", 64),
		"not base64":    strings.Repeat("!", 44),
		"an empty item": testKey + ",",
		"33 bytes":      "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYw",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := db.NewKeys(list)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "MDEy")
		})
	}
	_, err := db.NewKeys(testKey + ",abc")
	require.ErrorContains(t, err, "key 2 of 2")
}

func TestKeysAcceptTheKeysThatPythonAccepts(t *testing.T) {
	t.Parallel()
	made, err := db.GenerateKey()
	require.NoError(t, err)
	for _, list := range []string{made, "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=", testKey + "\n", " " + testKey} {
		_, err := db.NewKeys(list)
		require.NoError(t, err)
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", relay.NewSecret("s3cr3t"), relay.NewSecret("s3cr3t"), relay.NewSecret("s3cr3t")), "s3cr3t")
}
