package api_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestATimeWithoutADateInTheDatabaseIsRefused tries times at the ends of the calendar wherever one is taken.
func TestATimeWithoutADateInTheDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	bad := []string{"0000-01-01T00:00:00Z", "0000-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"}
	good := []string{"0001-01-01T00:00:01Z", "0999-06-01T00:00:00Z", "1969-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"}
	for _, path := range []string{"/admin/v1/events", "/admin/v1/audit", "/admin/v1/stats"} {
		for _, field := range []string{"from", "to"} {
			for _, at := range bad {
				r := o.call(http.MethodGet, path+"?"+field+"="+url.QueryEscape(at), "")
				require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s %s %s: %s", path, field, at, r.text)
			}
			for _, at := range good {
				r := o.call(http.MethodGet, path+"?"+field+"="+url.QueryEscape(at), "")
				require.Less(t, r.status, 500, "%s %s %s: %s", path, field, at, r.text)
			}
		}
	}
	r := o.call(http.MethodGet, "/admin/v1/stats?to=0001-01-01T05:00:00Z", "")
	require.Equal(t, http.StatusUnprocessableEntity, r.status, "the window begins a day before")
	for _, at := range bad {
		for _, field := range []string{"from", "to"} {
			body := fmt.Sprintf(`{"filter":{%q:%q}}`, field, at)
			for _, path := range []string{replays, replays + "?dry_run=true"} {
				r := o.call(http.MethodPost, path, body)
				require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s %s", path, body)
				require.Equal(t, "invalid_value filter."+field, r.problem())
			}
		}
		cursor := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"s":"-created_at","v":%q,"i":1}`, at))
		r := o.call(http.MethodGet, "/admin/v1/events?cursor="+cursor, "")
		require.Equal(t, "invalid_parameter cursor", r.problem(), at)
		for _, list := range []string{"storefronts", "credentials", "platforms"} {
			cursor := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"s":"created_at","v":%q,"i":1}`, at))
			r := o.call(http.MethodGet, "/admin/v1/"+list+"?sort=created_at&cursor="+cursor, "")
			require.Less(t, r.status, 500, "%s %s: %s", list, at, r.text)
		}
		require.Equal(t, []string{"0 2025020100003333 event_time invalid_time"}, brief(newTest(t).items(t, event("event_time", `"`+at+`"`)).Errors))
	}
}
