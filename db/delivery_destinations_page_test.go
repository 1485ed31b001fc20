package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestDestinationsThatNeedAttentionAreFound(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer, closed, stopped := f.storefront("bosley"), f.storefront("pfizer"), f.storefront("closed"), f.storefront("stopped")
	f.platform(bosley, "meta_capi") // unhealthy
	f.platform(bosley, "ga4")       // delivers
	f.platform(bosley, "tiktok")    // its credential is off
	f.platform(bosley, "unspoken")  // the relay has no adapter
	f.container(pfizer, ops.SGTMConfig{Active: true})
	f.platform(pfizer, "snapchat") // behind the container
	f.container(closed, ops.SGTMConfig{Active: true})
	f.container(stopped, ops.SGTMConfig{Fallback: "stop"})
	f.platform(stopped, "pinterest")
	f.exec("UPDATE storefronts SET is_active = 0 WHERE id = ?", closed)
	f.exec("UPDATE platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id SET k.is_active = 0 WHERE p.code = 'tiktok'")
	f.sick(bosley, "meta_capi")
	require.NoError(t, f.RecordFailure(t.Context(), pfizer, relay.SGTM, relay.Failure{Reason: relay.ReasonTimeout, Lasted: time.Hour}))
	hour := "INSERT INTO event_stats (hour, storefront_id, destination, outcome, n) VALUES (DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL ? HOUR, '%Y-%m-%d %H:00:00'), ?, ?, 'delivered', 1)"
	f.exec(hour, 1, bosley, "ga4")
	f.exec(hour, 30, pfizer, "sgtm")
	known := []string{"sgtm", "meta_capi", "ga4", "tiktok", "snapchat", "pinterest"}
	for issue, want := range map[ops.DestinationIssue][]string{
		ops.IssueIll:       {"bosley/meta_capi", "pfizer/sgtm"},
		ops.IssueUnhealthy: {"bosley/meta_capi"},
		ops.IssueFailing:   {"pfizer/sgtm"},
		ops.IssueOff:       {"bosley/tiktok", "closed/sgtm", "stopped/pinterest", "stopped/sgtm"},
		ops.IssueQuiet:     {"bosley/meta_capi", "pfizer/sgtm"},
	} {
		got, _ := f.destinations(ops.DestinationQuery{Issue: issue, Adapters: known})
		require.Equal(t, want, places(got), issue)
	}
	f.exec("UPDATE storefront_sgtm_config SET is_active = 0 WHERE storefront_id = ?", pfizer)
	got, _ := f.destinations(ops.DestinationQuery{Issue: ops.IssueQuiet, StorefrontID: pfizer, Adapters: known})
	require.Equal(t, []string{"pfizer/snapchat"}, places(got), "the container is off and falls back")
}

func TestAPageOfStorefrontsHasAllTheirDestinations(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	var want []string
	for _, code := range []string{"ga4", "meta_capi", "tiktok"} {
		require.NoError(t, f.AddPlatform(t.Context(), ops.Platform{Code: code, Name: code}))
		require.NoError(t, f.SetPlatformActive(t.Context(), code, true))
	}
	for n := range 5 {
		storefront := f.storefront(fmt.Sprint("shop", n))
		for _, code := range []string{"ga4", "meta_capi", "tiktok"} {
			require.NoError(t, f.PutCredential(t.Context(), storefront, ops.Credential{Platform: code, Active: true}))
			want = append(want, fmt.Sprint("shop", n, "/", code))
		}
		f.taken(f.direct(fmt.Sprint("waits-", n), storefront), "r")
	}
	f.storefront("without any")
	var walked []string
	q := ops.DestinationQuery{Storefronts: 2}
	for pages := 1; ; pages++ {
		page, more := f.destinations(q)
		require.LessOrEqual(t, len(page), 6)
		for _, d := range page {
			require.Equal(t, 1, d.Waiting, d.StorefrontCode+"/"+d.Destination)
		}
		walked = append(walked, places(page)...)
		if !more {
			require.Equal(t, 3, pages)
			break
		}
		q.AfterStorefront = page[len(page)-1].StorefrontID
	}
	require.Equal(t, want, walked)
	one, more := f.destinations(ops.DestinationQuery{Storefronts: 2, Destination: "ga4"})
	require.True(t, more)
	require.Equal(t, []string{"shop0/ga4", "shop1/ga4"}, places(one))
}

func TestDestinationsOfManyStorefrontsTakeAsManyStatements(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	require.NoError(t, f.AddPlatform(t.Context(), ops.Platform{Code: "ga4", Name: "ga4"}))
	require.NoError(t, f.SetPlatformActive(t.Context(), "ga4", true))
	add := func(from, to int) {
		for n := from; n < to; n++ {
			storefront := f.storefront(fmt.Sprintf("shop%03d", n))
			f.container(storefront, ops.SGTMConfig{})
			require.NoError(t, f.PutCredential(t.Context(), storefront, ops.Credential{Platform: "ga4", Active: true}))
			f.sick(storefront, "ga4")
		}
	}
	store, count := f.selects()
	read := func() (n int) {
		list, _, err := store.DestinationStatuses(t.Context(), ops.DestinationQuery{Storefronts: 100, Issue: ops.IssueIll})
		require.NoError(t, err)
		return len(list)
	}
	add(0, 3)
	few := count(func() { require.Equal(t, 3, read()) })
	add(3, 300)
	require.Equal(t, few, count(func() { require.Equal(t, 100, read()) }))
	require.LessOrEqual(t, few, int64(8))
}

func TestADestinationNamesTheReplayOfItsEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	for _, storefront := range []int64{bosley, pfizer} {
		f.platform(storefront, "ga4")
		f.platform(storefront, "tiktok")
	}
	replays := func() []int64 {
		var ids []int64
		list, _ := f.destinations(ops.DestinationQuery{})
		require.Equal(t, []string{"bosley/ga4", "bosley/tiktok", "pfizer/ga4", "pfizer/tiktok"}, places(list))
		for _, d := range list {
			ids = append(ids, d.ReplayID)
		}
		return ids
	}
	f.replay(ops.Replay{Filter: ops.Filter{StorefrontID: bosley}})
	require.Equal(t, []int64{0, 0, 0, 0}, replays(), "one of everything is none of a destination")
	all := f.replay(ops.Replay{Filter: ops.Filter{Destination: "ga4"}})
	one := f.replay(ops.Replay{Filter: ops.Filter{Destination: "ga4", StorefrontID: pfizer}})
	require.Equal(t, []int64{all.ID, 0, one.ID, 0}, replays())
	f.exec("UPDATE event_replays SET state = 'done' WHERE id = ?", one.ID)
	f.exec("UPDATE event_replays SET state = 'paused' WHERE id = ?", all.ID)
	require.Equal(t, []int64{all.ID, 0, all.ID, 0}, replays())
}
