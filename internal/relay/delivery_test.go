package relay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func end(destination string, o relay.Outcome, r relay.Reason) relay.DeliveryResult {
	return relay.DeliveryResult{Destination: destination, Outcome: o, Reason: r}
}

func TestConclusionFollowsTheResultsOfTheDestinations(t *testing.T) {
	t.Parallel()
	accepted := end("meta_capi", relay.Accepted, "")
	blocked := end("ga4", relay.Blocked, relay.ReasonCredentialDisabled)
	skipped := end("snapchat", relay.Skipped, relay.ReasonNotMapped)
	for name, c := range map[string]struct {
		ends   []relay.DeliveryResult
		status relay.Status
		reason relay.Reason
	}{
		"all accepted is delivered":             {[]relay.DeliveryResult{accepted, end("tiktok", relay.Accepted, "")}, relay.StatusDelivered, ""},
		"accepted and blocked is delivered":     {[]relay.DeliveryResult{accepted, blocked, skipped}, relay.StatusDelivered, ""},
		"a rejection fails it":                  {[]relay.DeliveryResult{accepted, end("tiktok", relay.Rejected, relay.ReasonBadRequest)}, relay.StatusFailed, relay.ReasonBadRequest},
		"a bad credential fails it":             {[]relay.DeliveryResult{accepted, end("tiktok", relay.Unauthorized, relay.ReasonUnauthorized)}, relay.StatusFailed, relay.ReasonUnauthorized},
		"exhausted attempts fail it":            {[]relay.DeliveryResult{accepted, end("tiktok", relay.Exhausted, relay.ReasonExhausted)}, relay.StatusFailed, relay.ReasonExhausted},
		"an unknown result fails it":            {[]relay.DeliveryResult{accepted, end("ga4", relay.Unknown, relay.ReasonUnknown)}, relay.StatusFailed, relay.ReasonUnknown},
		"an unexpected result fails it":         {[]relay.DeliveryResult{accepted, end("ga4", "", "")}, relay.StatusFailed, ""},
		"blocked alone is skipped":              {[]relay.DeliveryResult{blocked}, relay.StatusSkipped, relay.ReasonCredentialDisabled},
		"skipped takes precedence over blocked": {[]relay.DeliveryResult{blocked, skipped}, relay.StatusSkipped, relay.ReasonNotMapped},
		"the first failure by name is shown":    {[]relay.DeliveryResult{end("tiktok", relay.Rejected, relay.ReasonTooLarge), end("meta_capi", relay.Rejected, relay.ReasonNotFound)}, relay.StatusFailed, relay.ReasonNotFound},
		"no results are skipped, with a reason": {nil, relay.StatusSkipped, relay.ReasonNoActiveDestination},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := relay.Conclude(relay.Route{}, c.ends)
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.reason, got.Reason)
			require.Len(t, got.Ends, len(c.ends))
		})
	}
}

func TestConclusionOfARouteWithoutDestinationsHasItsReason(t *testing.T) {
	t.Parallel()
	c := relay.Conclude(relay.Route{Reason: relay.ReasonStorefrontDisabled}, nil)
	require.Equal(t, relay.EventOutcome{Status: relay.StatusSkipped, Reason: relay.ReasonStorefrontDisabled,
		Detail: "the storefront is switched off"}, c)

	s := allOn()
	s.SGTM.Active, s.Platforms[0].HasAdapter, s.Platforms[1].PlatformActive = false, false, false
	c = relay.Conclude(relay.Resolve(s, policy), nil)
	require.Equal(t, relay.ReasonNoActiveDestination, c.Reason)
	require.Equal(t, "no destination is switched on; sgtm: the storefront's sGTM container is switched off; "+
		"meta_capi: the platform is switched off for all storefronts; tiktok: the relay has no adapter for this platform", c.Detail)
}

func TestFinalStatusCountsEarlierAcceptances(t *testing.T) {
	t.Parallel()
	route := relay.Route{Accepted: []string{"meta_capi", "tiktok"}}
	c := relay.Conclude(route, []relay.DeliveryResult{{Destination: "tiktok", Outcome: relay.Accepted, Status: 204}, end("ga4", relay.Blocked, relay.ReasonPlatformDisabled)})
	require.Equal(t, relay.StatusDelivered, c.Status)
	require.Equal(t, []relay.DeliveryResult{end("ga4", relay.Blocked, relay.ReasonPlatformDisabled), end("meta_capi", relay.Accepted, ""),
		{Destination: "tiktok", Outcome: relay.Accepted, Status: 204}}, c.Ends)
	require.Equal(t, "ga4: the platform is switched off for all storefronts (platform_disabled); meta_capi: accepted; "+
		"tiktok: accepted, last response 204", c.Detail)
}

func TestConclusionOfAnExhaustedContainerThatThePlatformsReplaced(t *testing.T) {
	t.Parallel()
	s := allOn()
	s.SGTM.DirectOnExhausted = true
	s.Attempts[relay.SGTM] = relay.AttemptSummary{Made: policy.MaxAttempts}
	route := relay.Resolve(s, policy)
	exhausted := relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Status: 503}

	c := relay.Conclude(route, []relay.DeliveryResult{exhausted, end("meta_capi", relay.Accepted, "")})
	require.Equal(t, relay.StatusDelivered, c.Status)
	require.Equal(t, "meta_capi: accepted; sgtm: no attempts left (exhausted), last response 503", c.Detail, "stated once")

	c = relay.Conclude(route, []relay.DeliveryResult{exhausted, end("meta_capi", relay.Skipped, relay.ReasonNotMapped)})
	require.Equal(t, relay.StatusFailed, c.Status, "no destination accepted it")
	require.Equal(t, relay.ReasonExhausted, c.Reason)

	unhealthy := end(relay.SGTM, relay.Rejected, relay.ReasonUnhealthy)
	c = relay.Conclude(route, []relay.DeliveryResult{unhealthy, end("meta_capi", relay.Accepted, "")})
	require.Equal(t, relay.StatusDelivered, c.Status)
	require.Equal(t, "meta_capi: accepted; sgtm: the destination is unhealthy (destination_unhealthy)", c.Detail)
	c = relay.Conclude(route, []relay.DeliveryResult{unhealthy})
	require.Equal(t, relay.StatusFailed, c.Status, "no destination accepted it")
	require.Equal(t, []string{relay.SGTM}, c.Unhealthy())

	c = relay.Conclude(route, []relay.DeliveryResult{end(relay.SGTM, relay.Rejected, relay.ReasonUnclaimed), end("meta_capi", relay.Accepted, "")})
	require.Equal(t, relay.StatusFailed, c.Status, "only exhausted attempts are replaced")

	c = relay.Conclude(relay.Route{}, []relay.DeliveryResult{exhausted, end("meta_capi", relay.Accepted, "")})
	require.Equal(t, relay.StatusFailed, c.Status, "without a replacement it failed")

	c = relay.Conclude(route, []relay.DeliveryResult{end("meta_capi", relay.Skipped, relay.ReasonNotMapped)})
	require.Equal(t, relay.StatusFailed, c.Status, "its attempts were exhausted in an earlier run")
	require.Equal(t, relay.ReasonExhausted, c.Reason)
	require.Equal(t, relay.StatusDelivered, relay.Conclude(route, []relay.DeliveryResult{end("meta_capi", relay.Accepted, "")}).Status)
}

// A recovery replay looks for events by their reason.
func TestARetryableFailureDecidesTheReason(t *testing.T) {
	t.Parallel()
	refused := end("ga4", relay.Rejected, relay.ReasonBadRequest)
	unknown := end("meta", relay.Unknown, relay.ReasonUnknown)
	for _, passing := range []relay.Reason{relay.ReasonExhausted, relay.ReasonUnhealthy} {
		down := end("snapchat", relay.Exhausted, passing)
		for _, ends := range [][]relay.DeliveryResult{{refused, down}, {down, refused}, {refused, unknown, down}, {unknown, down, refused}} {
			c := relay.Conclude(relay.Route{}, ends)
			require.Equal(t, relay.StatusFailed, c.Status)
			require.Equal(t, passing, c.Reason)
		}
	}
	require.Equal(t, relay.ReasonBadRequest, relay.Conclude(relay.Route{}, []relay.DeliveryResult{refused, unknown}).Reason, "else the first")
}

func TestConcludeDoesNotChangeItsInput(t *testing.T) {
	t.Parallel()
	ends := []relay.DeliveryResult{end("tiktok", relay.Accepted, ""), end("meta_capi", relay.Accepted, "")}
	relay.Conclude(relay.Route{Accepted: []string{"ga4"}}, ends)
	require.Equal(t, []relay.DeliveryResult{end("tiktok", relay.Accepted, ""), end("meta_capi", relay.Accepted, "")}, ends)
}

func TestReasonsHaveTexts(t *testing.T) {
	t.Parallel()
	require.Equal(t, "no attempts left", relay.ReasonExhausted.Text())
	require.Equal(t, "vendor_code_7", relay.Reason("vendor_code_7").Text(), "an unlisted reason is its own text")
	for _, r := range reasons(t) {
		require.NotEqual(t, string(r), r.Text(), "%s has no words", r)
	}
}

func TestAResultKeepsTheReasonOfItsLatestAttempt(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]relay.DeliveryResult{
		"sgtm: no attempts left (exhausted), last response 503: the destination reported a server error (server_error)": {
			Destination: "sgtm", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Status: 503, Cause: relay.ReasonServerError},
		"sgtm: no attempts left (exhausted), last: no response in time (timeout)": {
			Destination: "sgtm", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Cause: relay.ReasonTimeout},
		"sgtm: the destination is unhealthy (destination_unhealthy), last response 503: the destination reported a server error (server_error)": {
			Destination: "sgtm", Outcome: relay.Rejected, Reason: relay.ReasonUnhealthy, Status: 503, Cause: relay.ReasonServerError},
		"ga4: accepted, last response 204": {Destination: "ga4", Outcome: relay.Accepted, Status: 204},
	} {
		require.Equal(t, want, e.String())
	}
}
