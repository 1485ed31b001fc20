package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/internal/relay"
)

// connected creates a storefront without a container, and by the API its credential at a platform. The response does not repeat a
// secret.
func (w *world) connected(t *testing.T, storefront, platform, fields, options string) map[string]any {
	t.Helper()
	_, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: storefront, Name: storefront, Active: true, BaseURL: "https://" + storefront + ".example"})
	require.NoError(t, err)
	made := asked(t, w.relays[0], http.StatusCreated, http.MethodPost, "/admin/v1/credentials",
		fmt.Sprintf(`{"storefront_code":%q,"platform_code":%q,"credentials":%s,"options":%s}`, storefront, platform, fields, options))
	require.NotContains(t, fmt.Sprint(made), markSecret)
	return made
}

// unauthorizedAt covers a refused credential: one attempt, of which this many requests reached the vendor, and whose record has the vendor's
// code.
func (w *world) unauthorizedAt(t *testing.T, platform, storefront string, requests int, code string) {
	t.Helper()
	order := storefront + "-unauthorized"
	w.postTo(t, storefront, order)
	e := w.ended(t, order, purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnauthorized, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unauthorized}, outcomes(e, platform))
	require.Equal(t, code, attemptsAt(e, platform)[0].Result.Fields["code"])
	require.Len(t, w.atVendors(t, e), requests)
}
