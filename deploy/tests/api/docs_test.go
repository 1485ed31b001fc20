package apitest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"relay/deploy/tests/world"
)

// seen holds the requests and the error messages of a page.
type seen struct {
	mu       sync.Mutex
	asked    []string
	troubles []string
}

func (s *seen) note(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		s.asked = append(s.asked, e.Request.URL)
	case *log.EventEntryAdded: // such as a violation of the page's policy
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			s.troubles = append(s.troubles, string(e.Entry.Level)+": "+e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		s.troubles = append(s.troubles, "exception: "+e.ExceptionDetails.Text)
	}
}

// elsewhere returns the requests that did not go to the relay. Inlined data causes no request.
func (s *seen) elsewhere(url string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.asked), func(asked string) bool {
		return strings.HasPrefix(asked, url+"/") || strings.HasPrefix(asked, "data:")
	})
}

// browser returns a page of a headless Chromium, and what is seen of it.
func browser(t *testing.T) (context.Context, *seen) {
	t.Helper()
	ctx := world.Chromium(t, 1400, 2000, 2*time.Minute)
	s := &seen{}
	chromedp.ListenTarget(ctx, s.note)
	return ctx, s
}

func TestTheDocsPageRendersAndSendsRequestsToTheRelayOnly(t *testing.T) {
	url := serve(t)
	create(t, url, "storefronts", `{"storefront_id":"bosley"}`)
	create(t, url, "storefronts", `{"storefront_id":"pfizer"}`)
	page, seen := browser(t)

	const events = "#operations-Ingestion-post-events"
	var title, version, status, response string
	var operations int
	require.NoError(t, chromedp.Run(page, network.Enable(), log.Enable(), runtime.Enable(),
		chromedp.Navigate(url+"/docs"),
		chromedp.WaitVisible(".swagger-ui .info .title", chromedp.ByQuery),
		chromedp.Text(".swagger-ui .info .title", &title, chromedp.ByQuery),
		chromedp.Text(".swagger-ui .info .version-stamp", &version, chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelectorAll(".opblock").length`, &operations),
	))
	require.Contains(t, title, "Marketing Events Relay")
	require.Contains(t, version, "OAS 3.1")
	require.Greater(t, operations, 30)

	require.NoError(t, chromedp.Run(page,
		chromedp.Click(".swagger-ui .auth-wrapper button.authorize", chromedp.ByQuery),
		chromedp.WaitVisible("#auth-basic-username", chromedp.ByQuery),
		chromedp.SendKeys("#auth-basic-username", user, chromedp.ByQuery),
		chromedp.SendKeys("#auth-basic-password", password, chromedp.ByQuery),
		chromedp.Click(".auth-btn-wrapper button.authorize", chromedp.ByQuery),
		chromedp.Click(".auth-btn-wrapper button.btn-done", chromedp.ByQuery),
		chromedp.Click(events+" .opblock-summary-control", chromedp.ByQuery),
		chromedp.WaitVisible(events+" button.execute", chromedp.ByQuery),
		chromedp.Click(events+" button.execute", chromedp.ByQuery),
		chromedp.WaitVisible(events+" .live-responses-table .response-col_status", chromedp.ByQuery),
		chromedp.Text(events+" .live-responses-table tbody .response-col_status", &status, chromedp.ByQuery),
		chromedp.Text(events+" .live-responses-table tbody .response-col_description", &response, chromedp.ByQuery),
	))
	require.Contains(t, status, "202", response)
	require.Contains(t, response, `"accepted": 3`)
	require.Contains(t, seen.asked, url+"/v1/events")
	require.Empty(t, seen.elsewhere(url))
	require.Empty(t, seen.troubles)
}
