package db_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// policyOf returns a storefront's data policy as it is stored.
func (f *fixture) policyOf(code string) string {
	f.t.Helper()
	return f.text("SELECT CONCAT(data_policy, ' ', require_consent) FROM storefronts WHERE storefront_id = ?", code)
}

func TestExistingStorefrontsKeepTheStandardPolicyAndNewOnesAreHealth(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.exec(earlier[0])
	f.exec(earlier[1])
	_, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, "standard 0", f.policyOf("bosley"), "of the earlier service")

	f.exec("INSERT INTO storefronts (storefront_id) VALUES ('by-hand')")
	require.Equal(t, "health 0", f.policyOf("by-hand"))
	f.storefront("pfizer")
	require.Equal(t, "health 0", f.policyOf("pfizer"))
	_, err = f.CreateStorefront(t.Context(), relay.Storefront{Code: "open", DataPolicy: relay.DataPolicyStandard, RequireConsent: true})
	require.NoError(t, err)
	require.Equal(t, "standard 1", f.policyOf("open"))

	for _, wrong := range []string{"", "none", "Health"} {
		_, err = f.raw.ExecContext(t.Context(), "UPDATE storefronts SET data_policy = ? WHERE storefront_id = 'bosley'", wrong)
		require.Error(t, err)
		require.Contains(t, strings.ToLower(err.Error()), "constraint", "policy %q", wrong)
	}
}

func TestTheDataPolicysMigrationGoesDownAndUpOverRows(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	run := func(direction string) {
		script, err := os.ReadFile("migrations/20261128100000_data_policy." + direction + ".sql")
		require.NoError(t, err)
		for statement := range strings.SplitSeq(string(script), "--bun:split") {
			f.exec(statement)
		}
	}
	run("down")
	columns := "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name IN ('data_policy', 'require_consent', 'warnings')"
	require.Zero(t, f.count(columns))
	run("up")
	require.Equal(t, 3, f.count(columns))
	require.Equal(t, "standard 0", f.policyOf("bosley"), "what a storefront sends does not change by itself")
}

func TestThePolicyIsReadWithEveryStorefront(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	code := "bosley"
	id, err := f.CreateStorefront(t.Context(), relay.Storefront{Code: code, Active: true, DataPolicy: relay.DataPolicyStandard, RequireConsent: true})
	require.NoError(t, err)
	event := f.direct("1", id)
	f.taken(event, "run")
	delivery, err := f.Delivery(t.Context(), event, "run", relay.SGTM)
	require.NoError(t, err)
	switches, err := f.Switches(t.Context(), event)
	require.NoError(t, err)
	setup, err := f.StorefrontConfig(t.Context(), id)
	require.NoError(t, err)
	previewed, _, err := f.EventConfig(t.Context(), event)
	require.NoError(t, err)
	record, err := f.Storefronts().Find(t.Context(), id)
	require.NoError(t, err)
	for place, s := range map[string]relay.Storefront{"delivery": delivery.Event.Storefront, "switches": switches.Storefront,
		"setup": setup.Switches.Storefront, "event setup": previewed.Storefront, "record": record.Value} {
		require.Equal(t, relay.DataPolicyStandard, s.DataPolicy, place)
		require.False(t, s.Health(), place)
		require.True(t, s.RequireConsent, place)
	}
}

func TestAChangeOfThePolicyIsAuditedAndChangesTheVersion(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.storefront("bosley")
	before, err := f.Storefronts().Find(t.Context(), id)
	require.NoError(t, err)
	after, err := f.Storefronts().Update(t.Context(), ops.Actor{By: "anna", Action: ops.ActionPatch}, id, func(r ops.Record[relay.Storefront]) (relay.Storefront, error) {
		r.Value.DataPolicy, r.Value.RequireConsent = relay.DataPolicyStandard, true
		return r.Value, nil
	})
	require.NoError(t, err)
	require.NotEqual(t, before.Version, after.Version)
	list, err := f.Audit(t.Context(), ops.AuditQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []ops.Change{{Field: "data_policy", From: []byte(`"health"`), To: []byte(`"standard"`)},
		{Field: "require_consent", From: []byte("false"), To: []byte("true")}}, list.Items[0].Changes)
}

func TestWarningsOfAttemptsShowInTheListAndTheDetail(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	warned, quiet := f.direct("1", bosley), f.direct("2", bosley)
	for i, warnings := range [][]string{{"the value has no currency"}, {"the value has no currency", "no session"}, nil} {
		a := anAttempt(warned)
		a.AttemptID, a.Warnings = strings.Repeat("abc"[i:i+1], 32), warnings
		require.NoError(t, f.RecordSending(t.Context(), a))
	}
	page, err := f.SearchEvents(t.Context(), ops.Filter{}, ops.Position{}, 10)
	require.NoError(t, err)
	require.Equal(t, quiet, page.Items[0].ID)
	require.Empty(t, page.Items[0].Warnings)
	require.Equal(t, []string{"the value has no currency", "no session"}, page.Items[1].Warnings, "each once")
	d, err := f.EventDetail(t.Context(), warned)
	require.NoError(t, err)
	require.Equal(t, []string{"the value has no currency", "no session"}, d.Attempts[1].Warnings)
	require.Empty(t, d.Attempts[2].Warnings)
}
