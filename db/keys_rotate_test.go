package db_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

// with opens the same database as a process with other keys.
func (f *fixture) with(list string) *db.Store {
	f.t.Helper()
	keys, err := db.NewKeys(list)
	require.NoError(f.t, err)
	store, err := db.Open(db.Config{URL: f.dsn, Keys: keys})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, store.Close()) })
	return store
}

func rotate(t *testing.T, s *db.Store) db.Rotation {
	t.Helper()
	r, err := s.RotateKeys(t.Context(), rotationLine, func(db.Rotation) {})
	require.NoError(t, err)
	return r
}

var rotationLine = ops.AuditEntry{By: "relay rotate-keys", Action: ops.ActionRotate, Entity: ops.EntityKey}

// secretsOf reads all secrets of the configuration as a process does; an unreadable one is "unreadable".
func secretsOf(t *testing.T, s *db.Store) map[string]string {
	t.Helper()
	got := map[string]string{}
	page := ops.ListQuery{Limit: 1000}
	containers, err := s.SGTMConfigs().List(t.Context(), page)
	require.NoError(t, err)
	for _, c := range containers.Items {
		name := c.Value.StorefrontCode
		got[name] = c.Value.APISecret.Reveal()
		for header, value := range c.Value.Headers {
			got[name+" "+header] = value.Reveal()
		}
		if c.Value.Unreadable {
			got[name] = "unreadable"
		}
	}
	credentials, err := s.Credentials().List(t.Context(), page)
	require.NoError(t, err)
	for _, c := range credentials.Items {
		name := c.Value.StorefrontCode + "/" + c.Value.Platform
		for field, value := range c.Value.Fields {
			got[name+" "+field] = value.Reveal()
		}
		if c.Value.Unreadable {
			got[name] = "unreadable"
		}
	}
	return got
}

// TestRotationEncryptsEveryShapeOfSecretWithTheFirstKey covers the shapes that the relay writes, and those that the earlier
// service may have left.
func TestRotationEncryptsEveryShapeOfSecretWithTheFirstKey(t *testing.T) {
	t.Parallel()
	f := migrated(t) // its key is testKey
	keys, err := db.NewKeys(testKey)
	require.NoError(t, err)
	seal := func(s string) string {
		token, err := keys.Encrypt(relay.NewSecret(s))
		require.NoError(t, err)
		return token
	}
	for n, credentials := range []string{
		seal(`{"pixel_id": "1", "access_token": "in one"}`),
		`{"pixel_id": 12345678901234567890, "access_token": "bare", "gone": null, "empty": ""}`,
		fmt.Sprintf(`{"pixel_id": "bare", "access_token": %q}`, seal("by value")),
		seal(fmt.Sprintf(`{"access_token": %q, "pixel_id": "2"}`, seal("token in a token"))),
	} {
		id := f.storefront(fmt.Sprintf("s%d", n))
		require.NoError(t, f.PutCredential(t.Context(), id, ops.Credential{Platform: "meta_capi"}))
		f.exec("UPDATE platform_credentials SET credentials = ? WHERE storefront_id = ?", credentials, id)
	}
	for n, c := range []struct{ secret, headers any }{
		{seal("sealed"), fmt.Sprintf(`{"X-Api-Key": %q}`, seal("sealed header"))},
		{"bare", `{"X-Api-Key": "bare header", "X-Number": 5, "X-Empty": ""}`},
		{pythonToken, seal(`{"X-Api-Key": "whole"}`)},
		{nil, nil},
		{"", "{}"},
	} {
		id := f.storefront(fmt.Sprintf("c%d", n))
		require.NoError(t, f.PutSGTM(t.Context(), id, theContainer))
		f.exec("UPDATE storefront_sgtm_config SET api_secret = ?, custom_headers = ? WHERE storefront_id = ?", c.secret, c.headers, id)
	}
	before := secretsOf(t, f.Store)
	require.Equal(t, "token in a token", before["s3/meta_capi access_token"])
	require.Equal(t, "12345678901234567890", before["s1/meta_capi pixel_id"])
	updated := f.text("SELECT GROUP_CONCAT(updated_at ORDER BY id) FROM platform_credentials")

	r := rotate(t, f.with(secondKey+","+testKey))
	require.Equal(t, db.Rotation{Done: 11, Of: 11, Rotated: 10, First: 11}, r, "{} has nothing to encrypt")
	require.Equal(t, before, secretsOf(t, f.with(secondKey)), "the old key is not needed any more")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM admin_audit WHERE action = 'rotate' AND entity = 'encryption-keys'"))
	require.Equal(t, updated, f.text("SELECT GROUP_CONCAT(updated_at ORDER BY id) FROM platform_credentials"), "no admin wrote")
	require.Zero(t, f.count(`SELECT COUNT(*) FROM storefront_sgtm_config WHERE api_secret LIKE '%bare%' OR custom_headers LIKE '%bare%'`))
	require.Zero(t, f.count(`SELECT COUNT(*) FROM platform_credentials WHERE credentials NOT LIKE 'gAAAA%'`))

	require.Equal(t, db.Rotation{Done: 11, Of: 11, First: 11}, rotate(t, f.with(secondKey+","+testKey)), "a second rotation changes nothing")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM admin_audit WHERE action = 'rotate'"), "and writes no audit entry")
}

func TestRotationLeavesAndReportsUnreadableValues(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), 1, ops.SGTMConfig{URL: "https://tags.example.com", APISecret: relay.NewSecret("s3cr3t")}))
	require.NoError(t, f.PutCredential(t.Context(), 1, ops.Credential{Platform: "ga4", Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("s3cr3t")}}))
	const headers = `{"X-Api-Key": "` + pythonSecond + `", "X-Other": "bare"}`
	f.exec("UPDATE storefront_sgtm_config SET custom_headers = ?", headers)
	f.storefront("pfizer")
	require.NoError(t, f.PutCredential(t.Context(), 2, ops.Credential{Platform: "ga4"}))
	f.exec("UPDATE platform_credentials SET credentials = 'no object' WHERE id = 2")

	third, err := db.GenerateKey()
	require.NoError(t, err)
	r := rotate(t, f.with(third+","+testKey))
	require.Equal(t, db.Rotation{Done: 4, Of: 4, Rotated: 2, First: 2,
		Unreadable: []string{"platform_credentials 2 credentials", "storefront_sgtm_config 1 custom_headers"}}, r)
	require.Equal(t, "no object", f.text("SELECT credentials FROM platform_credentials WHERE id = 2"))
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM storefront_sgtm_config WHERE custom_headers = ?", headers), "not even in part")
	none, err := db.Open(db.Config{URL: f.dsn})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, none.Close()) })
	_, err = none.RotateKeys(t.Context(), rotationLine, nil)
	require.ErrorContains(t, err, "no encryption key")
}

// TestAnAdminsWriteDuringARotationIsNotLost keeps an admin's transaction open while the rotation reaches the row.
func TestAnAdminsWriteDuringARotationIsNotLost(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	for n := int64(1); n <= 3; n++ {
		f.storefront(fmt.Sprintf("s%d", n))
		require.NoError(t, f.PutCredential(t.Context(), n, ops.Credential{Platform: "ga4", Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("old")}}))
	}
	oldKeys, err := db.NewKeys(testKey)
	require.NoError(t, err)
	written, err := oldKeys.Encrypt(relay.NewSecret(`{"api_secret": "new"}`))
	require.NoError(t, err)
	tx, err := f.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "UPDATE platform_credentials SET credentials = ? WHERE id = 2", written)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "DELETE FROM platform_credentials WHERE id = 3")
	require.NoError(t, err)

	first := f.text("SELECT credentials FROM platform_credentials WHERE id = 1")
	store := f.with(secondKey + "," + testKey)
	done := make(chan db.Rotation, 1)
	failed := make(chan error, 1)
	go func() {
		r, err := store.RotateKeys(context.WithoutCancel(t.Context()), rotationLine, func(db.Rotation) {})
		done <- r
		failed <- err
	}()
	// Row 1 changes after the page with the old row 2 has been read.
	require.Eventually(t, func() bool { return f.text("SELECT credentials FROM platform_credentials WHERE id = 1") != first },
		30*time.Second, 5*time.Millisecond)
	require.NoError(t, tx.Commit())
	r := <-done
	require.NoError(t, <-failed)
	require.Equal(t, db.Rotation{Done: 3, Of: 3, Rotated: 2, First: 2}, r, "deleted rows are not counted")
	require.Equal(t, map[string]string{"s1/ga4 api_secret": "old", "s2/ga4 api_secret": "new"}, secretsOf(t, f.with(secondKey)))
}

func TestRotationLeavesVersionsAsTheyAreAndAWriteDoesNot(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), 1, theContainer))
	require.NoError(t, f.PutCredential(t.Context(), 1, ops.Credential{Platform: "ga4", Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("s3cr3t")}}))
	versions := func(s *db.Store) []string {
		config, err := s.SGTMConfigs().Find(t.Context(), 1)
		require.NoError(t, err)
		credential, err := s.Credentials().Find(t.Context(), 1)
		require.NoError(t, err)
		return []string{config.Version, credential.Version}
	}
	both := f.with(secondKey + "," + testKey)
	before := versions(f.Store)
	require.Equal(t, 3, rotate(t, both).Rotated)
	require.Equal(t, before, versions(both), "a client that read it before may write")

	// In the earlier service's tables the time of a write may be in whole seconds.
	still := func() { f.exec("UPDATE platform_credentials SET updated_at = '2026-01-01'") }
	still()
	before = versions(both)
	_, err := both.Credentials().Update(t.Context(), ops.Actor{By: "anna", Action: ops.ActionPatch}, 1, func(r ops.Record[ops.Credential]) (ops.Credential, error) {
		r.Value.Fields = map[string]relay.Secret{"api_secret": relay.NewSecret("another")}
		return r.Value, nil
	})
	require.NoError(t, err)
	still()
	after := versions(both)
	require.Equal(t, before[0], after[0])
	require.NotEqual(t, before[1], after[1])
}

func TestSecretsAreCountedByTheKeysThatTheyNeed(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	for n, platform := range []string{"ga4", "meta_capi", "tiktok", "snapchat"} {
		if n == 0 {
			f.storefront("bosley")
		}
		require.NoError(t, f.PutCredential(t.Context(), 1, ops.Credential{Platform: platform, Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("s3cr3t")}}))
	}
	f.exec(`UPDATE platform_credentials SET credentials = '{"api_secret": "bare"}' WHERE id = 2`)
	f.exec("UPDATE platform_credentials SET credentials = ? WHERE id = 3", fmt.Sprintf(`{"api_secret": %q}`, pythonSecond))
	require.NoError(t, seed.On(f.with(secondKey)).PutCredential(t.Context(), 1, ops.Credential{Platform: "ga4",
		Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("s3cr3t")}}))
	before := f.text("SELECT GROUP_CONCAT(credentials ORDER BY id) FROM platform_credentials")
	count := func(list string) db.KeyUse {
		use, err := f.with(list).KeyUse(t.Context())
		require.NoError(t, err)
		return use
	}
	// Of the four: one under the second key, one unencrypted, one unencrypted that holds a token of the second key, one
	// under the first.
	require.Equal(t, db.KeyUse{ByKey: []int{1, 2}, Bare: 1}, count(testKey+","+secondKey))
	require.Equal(t, db.KeyUse{ByKey: []int{1, 1}, Bare: 2}, count(secondKey+","+testKey))
	require.Equal(t, db.KeyUse{ByKey: []int{1}, Bare: 1, Unreadable: 2}, count(testKey))
	require.Equal(t, before, f.text("SELECT GROUP_CONCAT(credentials ORDER BY id) FROM platform_credentials"))
	require.Zero(t, f.count("SELECT COUNT(*) FROM admin_audit WHERE actor <> 'seed'"))
	rotate(t, f.with(secondKey+","+testKey))
	require.Equal(t, db.KeyUse{ByKey: []int{4}}, count(secondKey))
}

func TestAnOlderColumnsOtherCharactersAreRotatedToo(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), 1, theContainer))
	f.exec("ALTER TABLE storefront_sgtm_config MODIFY custom_headers TEXT CHARACTER SET latin1, MODIFY api_secret TEXT CHARACTER SET latin1")
	f.exec("UPDATE storefront_sgtm_config SET custom_headers = ?, api_secret = ?", `{"X-Name": "Müller"}`, "schlüssel")
	both := f.with(secondKey + "," + testKey)
	before := secretsOf(t, both)
	require.Equal(t, "Müller", before["bosley X-Name"])
	require.Equal(t, 2, rotate(t, both).Rotated)
	require.Equal(t, before, secretsOf(t, f.with(secondKey)))
}
