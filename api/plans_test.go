package api_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/dbtest"
)

// The keys by which the growing tables are read.
const (
	byID         = "marketing_events PRIMARY"
	byTime       = "marketing_events ix_marketing_events_created"
	byStatus     = "marketing_events ix_marketing_events_status"
	byStorefront = "marketing_events ix_marketing_events_storefront"
	byClaim      = "marketing_events ix_marketing_events_claim"
	byOrder      = "marketing_events ix_marketing_events_order, marketing_events uq_marketing_events_event, " + byID
	attemptsOf   = "event_attempts ix_event_attempts_event"
	statsOfAll   = "event_stats PRIMARY, event_stats_hours PRIMARY"
	statsOfOne   = "event_stats ix_event_stats_storefront, event_stats_hours PRIMARY"
	switched     = "admin_audit ix_admin_audit_entity, admin_audit ix_admin_audit_kind, admin_audit PRIMARY" // who set a switch
	openReplays  = "event_replays ix_event_replays_state, event_replays PRIMARY"
	countsOfAll  = "attempt_stats PRIMARY"
	countsOfOne  = "attempt_stats ix_attempt_stats_storefront"
	openNow      = byClaim + ", " + byID
)

// planCase is a request, the keys by which it may read growing tables, and the most rows that the server may read for it, whatever
// the size of the tables. Rows of temporary tables count, too.
type planCase struct {
	path, keys string
	reads      int
	post       bool // with the body, which may be empty
	body       string
}

func (c planCase) method() string {
	if c.post {
		return http.MethodPost
	}
	return http.MethodGet
}

// eventFilters are filters of the list and the count of events, with their keys.
func eventFilters(day, month string) map[string]string {
	return map[string]string{
		"":                  byTime,
		"storefront=shop0":  byStorefront,
		"storefront=shop99": byStorefront,
		"status=pending":    byStatus, "status=processing": byStatus, "status=failed": byStatus, "status=failed,skipped": byStatus,
		"status=delivered,failed,skipped":                  byStatus,
		"status=failed&storefront=shop0":                   byStatus + ", " + byStorefront, // the shorter range
		"status=delivered&storefront=shop99&from=" + month: byStatus + ", " + byStorefront,
		"status=failed&storefront=shop99&from=" + day:      byStatus,
		"order_id=o-77":                                byOrder,
		"order_id=o-77&status=failed":                  byOrder,
		"event_type=consult_started":                   byTime,
		"event_type=none":                              byTime,
		"source=oms_direct":                            byTime,
		"destination=meta_capi":                        byTime,
		"destination=ga4&storefront=shop3":             byStorefront,
		"failed_at=meta_capi":                          byTime,
		"failed_at=ga4&storefront=shop3":               byStorefront,
		"reason=exhausted":                             byStatus,
		"reason=exhausted&status=failed":               byStatus,
		"waiting_at=meta_capi":                         byStatus + ", " + attemptsOf,
		"waiting_at=sgtm":                              byStatus + ", " + attemptsOf,
		"waiting_at=ga4&storefront=shop3":              byStatus + ", " + byStorefront + ", " + attemptsOf,
		"from=" + day:                                  byTime,
		"from=" + month + "&to=" + day:                 byTime,
		"from=" + month + "&event_type=none":           byTime,
		"storefront=shop0&from=" + day:                 byStorefront,
		"storefront=shop0&source=oms_direct&to=" + day: byStorefront,
	}
}

func planCases() []planCase {
	ago := func(hours int) string {
		return url.QueryEscape(time.Now().UTC().Add(-time.Duration(hours) * time.Hour).Format(time.RFC3339))
	}
	hour, day, month := ago(1), ago(24), ago(30*24)
	var cases []planCase
	for filter, keys := range eventFilters(day, month) {
		cases = append(cases,
			planCase{path: "/admin/v1/events?" + filter, keys: keys + ", " + byID + ", " + attemptsOf, reads: 60_000},
			planCase{path: "/admin/v1/events/count?" + filter, keys: keys, reads: 110_000}) // 25,000 rows of each status at most
	}
	add := func(path, keys string, reads int, queries ...string) {
		if len(queries) == 0 {
			cases = append(cases, planCase{path: path, keys: keys, reads: reads})
		}
		for _, q := range queries {
			cases = append(cases, planCase{path: strings.TrimSuffix(path+"?"+q, "?"), keys: keys, reads: reads})
		}
	}
	add("/admin/v1/events/77", byID+", "+attemptsOf, 20)
	add("/v1/events?order_id=o-77", byOrder, 50)
	add("/admin/v1/stats", statsOfAll+", "+openNow, 60_000)
	add("/admin/v1/stats?storefront=shop0", statsOfOne+", "+openNow, 25_000)
	add("/admin/v1/stats/series", statsOfAll, 20_000, "", "step=day", "by=reason", "by=destination", "by=storefront", "destination=ga4", "outcome=failed")
	add("/admin/v1/stats/series", statsOfOne, 4000, "storefront=shop0", "storefront=shop0&by=reason", "storefront=shop0&step=day&from="+month)
	add("/admin/v1/attempts/stats", countsOfAll, 50_000, "", "from="+hour, "from="+month, "destination=ga4")
	add("/admin/v1/attempts/stats", countsOfOne, 1000, "storefront=shop0", "storefront=shop0&from="+hour, "storefront=shop0&destination=ga4&from="+month)
	add("/admin/v1/backlog", openNow+", "+attemptsOf, 150_000)
	for state, most := range map[string]int{"": 700, "state=running": 700, "state=cancelled": 700, "state=running,done": 1000} {
		add("/admin/v1/replays", "event_replays PRIMARY, event_replays ix_event_replays_state", most, state)
	}
	add("/admin/v1/replays/5", "event_replays PRIMARY", 700)
	add("/admin/v1/replays/5/events", "event_replays PRIMARY, event_replay_items PRIMARY, "+byID, 1000)
	add("/admin/v1/erasures", "event_erasures PRIMARY, event_erasures ix_event_erasures_state", 300, "", "state=running", "state=done")
	add("/admin/v1/erasures/5", "event_erasures PRIMARY", 10)
	for _, kind := range []string{"storefronts", "sgtm-configs", "credentials", "platforms"} {
		add("/admin/v1/"+kind, switched, 8000, "", "is_active=true", "limit=200", "sort=-created_at")
		add("/admin/v1/"+kind+"/"+map[bool]string{true: "1001", false: "5"}[kind == "storefronts"], switched, 50)
	}
	add("/admin/v1/destinations", switched+", "+openNow+", "+attemptsOf+", "+byStatus+", event_stats PRIMARY, "+openReplays, 150_000,
		"", "limit=100", "storefronts=100", "state=ill", "state=unhealthy", "state=failing", "state=off", "state=quiet", "health=healthy", "storefront=shop0", "destination=ga4")
	add("/admin/v1/destinations/shop7/ga4", switched+", "+openNow+", "+attemptsOf+", "+byStatus+", "+openReplays, 40_000)
	for q, key := range map[string]string{"": "PRIMARY", "from=" + day: "PRIMARY", "to=" + month: "PRIMARY", "from=" + month + "&to=" + day: "PRIMARY", "from=2099-01-01T00:00:00Z": "PRIMARY",
		"actor=admin3": "ix_admin_audit_actor", "actor=nobody": "ix_admin_audit_actor", "action=erase": "ix_admin_audit_action", "action=none": "ix_admin_audit_action",
		"actor=admin3&action=erase": "ix_admin_audit_action", "entity=storefronts": "ix_admin_audit_kind", "entity=replays": "ix_admin_audit_kind", "entity=events&action=erase": "ix_admin_audit_action",
		"entity=events&entity_id=5": "ix_admin_audit_entity", "actor=admin3&from=" + day: "ix_admin_audit_actor", "format=ndjson&action=erase": "ix_admin_audit_action"} {
		add("/admin/v1/audit", "admin_audit ix_admin_audit_at, admin_audit "+key, 22_000, q)
	}
	add("/admin/v1/system", statsOfAll, 100)
	add("/admin/v1/me", "", 0)
	add("/admin/v1/service-levels", "service_levels PRIMARY", 20_000)
	return append(cases, planPosts(day)...)
}

// planPosts are the requests that read by POST.
func planPosts(day string) []planCase {
	from, _ := url.QueryUnescape(day) // it was escaped here
	post := func(path, body, keys string, reads int) planCase {
		return planCase{path: path, keys: keys, reads: reads, post: true, body: body}
	}
	return []planCase{
		post("/admin/v1/preview", `{"id":77}`, byID+", "+attemptsOf, 200),
		post("/admin/v1/credentials/5/check", "", byStatus+", "+byStorefront, 55_000),
		post("/admin/v1/sgtm-configs/5/check", "", byStatus+", "+byStorefront, 55_000),
		post("/admin/v1/replays?dry_run=true", `{"filter":{"storefront":"shop0"}}`, byStatus+", "+byStorefront+", "+openReplays+", "+switched+", "+openNow+", "+attemptsOf, 150_000),
		post("/admin/v1/replays?dry_run=true", `{"filter":{"failed_at":"meta_capi","from":"`+from+`"}}`, byStatus+", "+openReplays+", "+switched+", "+openNow+", "+attemptsOf, 150_000),
	}
}

// TestEveryReadOfTheAPIUsesItsKey asks for everything that the console and the commands show, of a relay that has run for 90 days, and
// looks at the plan and the cost of each statement behind it: SCALE_ROWS are the events.
func TestEveryReadOfTheAPIUsesItsKey(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	n, err := strconv.Atoi(cmp.Or(os.Getenv("SCALE_ROWS"), "100000"))
	require.NoError(t, err)
	began := time.Now()
	dbtest.Fill(t, o.dsn, n)
	t.Logf("filled with %d events in %s", n, time.Since(began))
	pool, err := sql.Open("mysql", o.dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)

	cases, asked := planCases(), map[string]bool{}
	document := readContract(t, o.handler)
	for _, c := range cases {
		_, pointer := document.operation(c.method(), c.path)
		asked[pointer] = true
		t.Run(strings.TrimSpace(c.path+" "+c.body), func(t *testing.T) { o.planned(t, conn, c) })
	}
	document.operations(func(method, template string, _ map[string]any) {
		_, pointer := document.operation(method, template)
		if method == http.MethodGet && strings.Contains(template, "/v1/") && template != "/admin/v1/live" {
			require.True(t, asked[pointer], "%s has no case here", template)
		}
	})
	t.Run("live", func(t *testing.T) {
		statements := o.recorder.of(func() {
			list, err := o.store.LiveAttempts(t.Context(), int64(n/2), nil, 200)
			require.NoError(t, err)
			require.Len(t, list, 200)
			_, err = o.store.LiveCounts(t.Context())
			require.NoError(t, err)
			_, err = o.store.LiveTotals(t.Context())
			require.NoError(t, err)
			_, err = o.store.LiveReplays(t.Context())
			require.NoError(t, err)
			_, err = o.store.LiveHealth(t.Context())
			require.NoError(t, err)
		})
		judge(t, conn, statements, planCase{path: "live", keys: "event_attempts PRIMARY, " + openNow + ", " + statsOfAll + ", event_replays ix_event_replays_ended", reads: 60_000})
	})
}

// planned asks for a page and for the one after it.
func (o *operated) planned(t *testing.T, conn *sql.Conn, c planCase) {
	login := anna
	if strings.HasPrefix(c.path, "/v1/") {
		login = [2]string{user, password}
	}
	ask := func(path string) string {
		w := httptest.NewRecorder()
		statements := o.recorder.of(func() {
			req := httptest.NewRequest(c.method(), path, strings.NewReader(c.body))
			req.SetBasicAuth(login[0], login[1])
			if c.body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			o.handler.ServeHTTP(w, req)
		})
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		judge(t, conn, statements, c)
		return w.Body.String()
	}
	text := ask(c.path)
	if _, rest, more := strings.Cut(text, `"next_cursor":"`); more {
		next, _, _ := strings.Cut(rest, `"`)
		separator := "?"
		if strings.Contains(c.path, "?") {
			separator = "&"
		}
		ask(c.path + separator + "cursor=" + url.QueryEscape(next))
	}
}

// judge looks at the plans of statements.
func judge(t *testing.T, conn *sql.Conn, statements []statement, c planCase) {
	t.Helper()
	allowed, sum := strings.Split(c.keys, ", "), 0
	var found []string
	for _, s := range statements {
		e := s.explain(t, conn)
		sum += e.reads
		found = append(found, e.keys...)
		require.Empty(t, e.scans, s.text)
		for _, key := range e.keys {
			require.Contains(t, allowed, key, s.text)
		}
	}
	slices.Sort(found)
	t.Logf("%d statements, %d rows read, by %s", len(statements), sum, fmt.Sprint(slices.Compact(found)))
	require.LessOrEqual(t, sum, c.reads)
}
