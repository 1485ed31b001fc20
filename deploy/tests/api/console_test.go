package apitest_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

// maxSelects is how many SELECTs a page of the console may cost, its login included.
const maxSelects = 10

// TestAConsolePageCostsAFewSelectsHoweverManyStorefrontsThereAre counts the SELECTs at the server.
func TestAConsolePageCostsAFewSelectsHoweverManyStorefrontsThereAre(t *testing.T) {
	url := serve(t)
	keys, err := db.NewKeys(os.Getenv("ENCRYPTION_KEY"))
	require.NoError(t, err)
	store, err := db.Open(db.Config{URL: os.Getenv("DATABASE_URL"), Keys: keys})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	pool, err := sql.Open("mysql", os.Getenv("DATABASE_URL"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })

	made := 3
	for i := range made {
		storefront(t, store, fmt.Sprintf("storefront-%d", i))
	}
	_, err = pool.ExecContext(t.Context(), `INSERT INTO destination_health (storefront_id, destination, failures, failing_since, unhealthy_since, reason)
		SELECT id, 'meta_capi', 9, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 'unauthorized' FROM storefronts WHERE storefront_id = 'storefront-2'`)
	require.NoError(t, err) // of an unhealthy one what failed is counted, too

	for _, n := range []int{3, 200} {
		for ; made < n; made++ {
			storefront(t, store, fmt.Sprintf("storefront-%d", made))
		}
		for _, path := range []string{"", "?window=7d", "?storefront=storefront-2", "events?status=failed", "events?storefront=storefront-2", "routes", "replays", "replays/new?status=failed", "switches/storefronts/1?to=off", "switches/platforms/1?to=off", "search",
			"destinations", "live", "storefronts", "storefronts/storefront-1", "storefronts/storefront-1/meta_capi", "storefronts/storefront-2/meta_capi", "platforms", "platforms/meta_capi", "audit", "erasures"} {
			require.LessOrEqual(t, selectsOf(t, pool, url+"/console/"+path), maxSelects, "%q with %d storefronts", path, n)
		}
	}
}

func storefront(t *testing.T, store *db.Store, code string) {
	t.Helper()
	id, err := seed.On(store).CreateStorefront(t.Context(), relay.Storefront{Code: code, Name: code, Active: true})
	require.NoError(t, err)
	require.NoError(t, seed.On(store).PutCredential(t.Context(), id, ops.Credential{Platform: "meta_capi", Active: true,
		Fields: map[string]relay.Secret{"pixel_id": relay.NewSecret("1"), "access_token": relay.NewSecret("token")}}))
}

// selectsOf returns the lowest count of several visits: the process also selects by itself.
func selectsOf(t *testing.T, pool *sql.DB, url string) int {
	t.Helper()
	fewest := 1 << 30
	for range 4 {
		before := selects(t, pool)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		req.SetBasicAuth(user, password)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode, string(body))
		require.NotContains(t, string(body), `role="alert"`)
		fewest = min(fewest, selects(t, pool)-before)
		if fewest <= maxSelects {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fewest
}

func selects(t *testing.T, pool *sql.DB) int {
	t.Helper()
	var name string
	var n int
	require.NoError(t, pool.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_select'").Scan(&name, &n))
	return n
}
