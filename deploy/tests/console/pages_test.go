package console_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// one is a value of the database.
func (w *world) one(t *testing.T, query string, args ...any) string {
	t.Helper()
	var v string
	require.NoError(t, w.sql.QueryRowContext(t.Context(), query, args...).Scan(&v))
	return v
}

// pages are the addresses of all pages, with things that are there.
func (w *world) pages(t *testing.T) map[string]string {
	t.Helper()
	failed := w.one(t, "SELECT MIN(id) FROM marketing_events WHERE status = 'failed' AND reason <> 'unknown_storefront'")
	return map[string]string{
		"overview": "", "overview-7d": "?window=7d", "events": "events", "events-failed": "events?status=failed&window=24h", "event": "events/" + failed + "?preview=1",
		"search": "search", "keys": "keys", "missing": "events/" + strconv.Itoa(1<<40),
	}
}

func TestEveryPageInEveryLook(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	for name, path := range w.pages(t) {
		for _, width := range []int64{1280, 390} {
			for _, theme := range []string{"light", "dark"} {
				b.look(width, theme)
				b.open(path)
				where := fmt.Sprintf("%s-%d-%s", name, width, theme)
				b.shot(where)
				require.LessOrEqual(t, eval[int64](b, `document.documentElement.scrollWidth`), width, "%s scrolls sideways", where)
				require.Equal(t, 1, eval[int](b, `document.querySelectorAll("h1").length`), where)
				if name != "missing" {
					b.quiet(where)
				}
			}
		}
	}
}
