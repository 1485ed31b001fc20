package console_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/demo"
)

// looks opens a page in both themes and at both widths.
func (b *tab) looks(name, path string) {
	b.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, theme := range []string{"light", "dark"} {
			b.look(width, theme)
			b.open(path)
			where := fmt.Sprintf("%s-%d-%s", name, width, theme)
			b.shot(where)
			require.LessOrEqual(b.t, eval[int64](b, `document.documentElement.scrollWidth`), width, "%s scrolls sideways", where)
			require.Equal(b.t, 1, eval[int](b, `document.querySelectorAll("h1").length`), where)
			b.quiet(where)
		}
	}
	b.look(1280, "light")
}

func TestPagesOfDestinations(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	for name, path := range map[string]string{
		"destinations": "destinations", "destination": "storefronts/" + demo.Lumen + "/snapchat", "destination-good": "storefronts/" + demo.Nova + "/sgtm",
		"settings": "storefronts/" + demo.Lumen + "/meta_capi/settings", "settings-sgtm": "storefronts/" + demo.Nova + "/sgtm/settings",
		"settings-new": "storefronts/" + demo.Acme + "/ga4/settings", "try": "storefronts/" + demo.Lumen + "/ga4/try?type=purchase_completed",
		"test": "storefronts/" + demo.Lumen + "/ga4/try/test", "delete": "storefronts/" + demo.Lumen + "/ga4/_delete",
	} {
		b.looks(name, path)
	}
}
