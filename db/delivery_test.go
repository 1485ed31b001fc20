package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func secrets(kv ...string) map[string]relay.Secret {
	m := map[string]relay.Secret{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = relay.NewSecret(kv[i+1])
	}
	return m
}

func reveal(m map[string]relay.Secret) map[string]string {
	r := map[string]string{}
	for k, v := range m {
		r[k] = v.Reveal()
	}
	return r
}

var theContainer = ops.SGTMConfig{
	URL: "https://tags.upscript.com", MeasurementID: "G-XXXXXX", APISecret: relay.NewSecret("your_api_secret"), EndpointPath: "/collect",
	Headers: map[string]relay.Secret{"X-Api-Key": relay.NewSecret("your-key")}, Active: true,
	Options: relay.Options{Deny: []string{"email"}},
}

func TestSwitchesShowThePresentFourLevels(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, err := f.CreateStorefront(t.Context(), relay.Storefront{Code: "bosley", Name: "Bosley", Active: true, Currency: "EUR",
		PhoneRegion: "DE", BaseURL: "https://bosley.example", SendsPayloadEventID: true})
	require.NoError(t, err)
	id := f.direct("1", bosley)
	read := func() relay.Switches {
		s, err := f.Switches(t.Context(), id)
		require.NoError(t, err)
		return s
	}
	bare := read()
	require.Equal(t, relay.Storefront{ID: bosley, Code: "bosley", Name: "Bosley", Active: true, Currency: "EUR", PhoneRegion: "DE",
		BaseURL: "https://bosley.example", SendsPayloadEventID: true, DataPolicy: relay.DataPolicyHealth}, bare.Storefront)
	require.Nil(t, bare.SGTM)
	require.Empty(t, bare.Platforms)

	require.NoError(t, f.PutSGTM(t.Context(), bosley, theContainer))
	for _, code := range []string{"ga4", "meta_capi"} {
		require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: code, Active: true}))
	}
	all := read()
	require.Equal(t, &relay.SGTMSwitch{Active: true}, all.SGTM)
	require.ElementsMatch(t, []relay.PlatformSwitch{{Code: "ga4", PlatformActive: true, CredentialActive: true},
		{Code: "meta_capi", PlatformActive: true, CredentialActive: true}}, all.Platforms)

	require.NoError(t, f.SetStorefrontActive(t.Context(), bosley, false))
	require.NoError(t, f.SetSGTMActive(t.Context(), bosley, false))
	require.NoError(t, f.SetPlatformActive(t.Context(), "ga4", false))
	require.NoError(t, f.SetCredentialActive(t.Context(), bosley, "meta_capi", false))
	off := read()
	require.False(t, off.Storefront.Active)
	require.Equal(t, &relay.SGTMSwitch{}, off.SGTM)
	require.ElementsMatch(t, []relay.PlatformSwitch{{Code: "ga4", CredentialActive: true}, {Code: "meta_capi", PlatformActive: true}}, off.Platforms)

	changed := theContainer
	changed.Fallback, changed.OnExhausted = "stop", "direct"
	require.NoError(t, f.PutSGTM(t.Context(), bosley, changed))
	require.Equal(t, &relay.SGTMSwitch{Active: true, Stop: true, DirectOnExhausted: true}, read().SGTM)
}

func TestSwitchesCountTheAttemptsOfThePresentGeneration(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	other := f.direct("2", 1)
	f.taken(id, "run")
	for n, a := range []relay.Attempt{
		{EventID: id, Destination: "sgtm", Number: 1, Generation: 0, Result: relay.Result{Outcome: relay.Retry}},
		{EventID: id, Destination: "sgtm", Number: 2, Generation: 1},
		{EventID: id, Destination: "sgtm", Number: 3, Generation: 1, Result: relay.Result{Outcome: relay.Rejected}},
		{EventID: id, Destination: "sgtm", Number: 0, Generation: 1, Result: relay.Result{Outcome: relay.Blocked}},
		{EventID: id, Destination: "sgtm", Number: 4, Generation: 1, Result: relay.Result{Outcome: relay.NotSent}},
		{EventID: id, Destination: "ga4", Number: 1, Generation: 0, Result: relay.Result{Outcome: relay.Accepted}},
		{EventID: other, Destination: "sgtm", Number: 9, Generation: 1},
	} {
		a.AttemptID = fmt.Sprintf("%032d", n)
		require.NoError(t, f.RecordSending(t.Context(), a))
	}
	f.exec("UPDATE marketing_events SET generation = 1 WHERE id = ?", id)
	s, err := f.Switches(t.Context(), id)
	require.NoError(t, err)
	latest := s.Attempts["sgtm"]
	require.Positive(t, latest.Age)
	require.Less(t, latest.Age, time.Minute)
	require.Equal(t, map[string]relay.AttemptSummary{"sgtm": {Made: 2, Last: relay.Rejected, Age: latest.Age}, "ga4": {Accepted: true}}, s.Attempts)

	d, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	latest.Age = d.Switches.Attempts["sgtm"].Age
	s.Attempts["sgtm"] = latest
	require.Equal(t, s.Attempts, d.Switches.Attempts)
	require.Equal(t, 4, d.LastNumber)
	require.Equal(t, 1, d.Generation)
}

func TestADeletedEventOrStorefrontIsNotFound(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	stray := f.direct("1", 4711)
	for _, id := range []int64{stray, stray + 1} {
		_, err := f.Switches(t.Context(), id)
		require.ErrorIs(t, err, relay.ErrNotFound)
		d, err := f.Delivery(t.Context(), id, "run", "sgtm")
		require.ErrorIs(t, err, relay.ErrNotFound)
		require.False(t, d.Owned)
	}
}

func TestDeliveryHoldsTheInputOfAnAttempt(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), bosley, theContainer))
	id := f.exec(`INSERT INTO marketing_events (event_id, order_id, storefront_id, event_type, event_payload, source_system, status)
		VALUES ('4711', '4700', ?, 'Purchase_Completed', '{"order_revenue": 80.790, "n": 12345678901234567890}', 'oms_direct', 'pending')`, bosley)

	idle, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.False(t, idle.Owned, "not taken")
	f.taken(id, "run")
	strange, err := f.Delivery(t.Context(), id, "another", "sgtm")
	require.NoError(t, err)
	require.False(t, strange.Owned, "another run's")

	d, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.True(t, d.Owned)
	require.Equal(t, "purchase_completed", d.Event.Type)
	require.Equal(t, []string{"4711", "oms_direct", "bosley", "4700"}, []string{d.Event.EventID, d.Event.Source, d.Event.Storefront.Code, d.Event.OrderID()})
	require.Equal(t, "80.790 12345678901234567890", d.Event.Payload.Text("order_revenue")+" "+d.Event.Payload.Text("n"))
	require.WithinDuration(t, time.Now(), d.Event.Now, time.Minute)
	require.Equal(t, "sgtm", d.Destination.Key)
	require.Equal(t, map[string]string{"sgtm_url": "https://tags.upscript.com", "client_type": "ga4", "measurement_id": "G-XXXXXX",
		"custom_endpoint_path": "/collect"}, d.Destination.Settings)
	require.Equal(t, map[string]string{"api_secret": "your_api_secret", "header:X-Api-Key": "your-key"}, reveal(d.Destination.Secrets))
	require.Equal(t, []string{"email"}, d.Destination.Options.Deny)

	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	done, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.False(t, done.Owned, "finished")
}

func TestPlatformsCredentialIsSplitByItsCatalogue(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "meta_capi", Active: true,
		Fields: secrets("pixel_id", "123", "access_token", "EAAB", "unlisted", "x"), Options: relay.Options{Identifiers: "hashed"}}))
	id := f.direct("1", bosley)
	f.taken(id, "run")
	d, err := f.Delivery(t.Context(), id, "run", "meta_capi")
	require.NoError(t, err)
	require.Equal(t, relay.Destination{Key: "meta_capi", Options: relay.Options{Identifiers: "hashed"},
		Settings: map[string]string{"pixel_id": "123", "api_base_url": "https://graph.facebook.com"},
		Secrets:  secrets("access_token", "EAAB", "unlisted", "x")}, d.Destination)

	stored := f.text("SELECT credentials FROM platform_credentials")
	require.Contains(t, stored, "gAAAA")
	require.NotContains(t, stored, "EAAB")

	for _, gone := range []string{"tiktok", "sgtm", "nonsense"} {
		d, err := f.Delivery(t.Context(), id, "run", gone)
		require.NoError(t, err)
		require.True(t, d.Owned)
		require.Empty(t, d.Destination.Key, gone)
	}
}

func TestUnencryptedValuesOfTheEarlierServiceAreRead(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id := f.direct("1", bosley)
	f.taken(id, "run")
	f.exec(`INSERT INTO storefront_sgtm_config (storefront_id, sgtm_url, api_secret, custom_headers) VALUES (?, 'https://x', 'bare', ?)`,
		bosley, `{"X-Bare": "value", "X-Token": "`+pythonToken+`", "X-None": null}`)
	f.exec(`INSERT INTO platform_credentials (storefront_id, platform_id, credentials) SELECT ?, id, '{"pixel_id": 123, "access_token": "EAAB"}'
		FROM ad_analytics_platforms WHERE code = 'meta_capi'`, bosley)
	f.exec(`INSERT INTO platform_credentials (storefront_id, platform_id, credentials) SELECT ?, id, ?
		FROM ad_analytics_platforms WHERE code = 'tiktok'`, bosley, pythonUTF8)

	d, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"api_secret": "bare", "header:X-Bare": "value", "header:X-Token": "your_api_secret"}, reveal(d.Destination.Secrets))
	d, err = f.Delivery(t.Context(), id, "run", "meta_capi")
	require.NoError(t, err)
	require.Equal(t, "123", d.Destination.Settings["pixel_id"])
	require.Equal(t, map[string]string{"access_token": "EAAB"}, reveal(d.Destination.Secrets))
	d, err = f.Delivery(t.Context(), id, "run", "tiktok")
	require.NoError(t, err)
	require.Equal(t, "schlüssel-€", d.Destination.Secrets["access_token"].Reveal())
}

func TestUnreadableDestinationLeavesTheRestOfTheDelivery(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), bosley, theContainer))
	require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "ga4", Fields: secrets("api_secret", "s"), Active: true}))
	require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "meta_capi", Active: true}))
	f.exec("UPDATE platform_credentials SET options = '{broken' WHERE platform_id = (SELECT id FROM ad_analytics_platforms WHERE code = 'meta_capi')")
	id := f.direct("1", bosley)
	f.taken(id, "run")
	wrong, err := db.NewKeys(secondKey)
	require.NoError(t, err)
	store, err := db.Open(db.Config{URL: f.dsn, Keys: wrong})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for _, key := range []string{"sgtm", "ga4", "meta_capi"} {
		d, err := store.Delivery(t.Context(), id, "run", key)
		require.ErrorIs(t, err, relay.ErrUnreadable, key)
		require.True(t, d.Owned)
		require.Equal(t, key, d.Destination.Key)
		require.Len(t, d.Switches.Platforms, 2)
	}
}

func TestBrokenPayloadIsNil(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.exec("UPDATE marketing_events SET event_payload = '[]' WHERE id = ?", id)
	f.taken(id, "run")
	d, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.True(t, d.Owned)
	require.Nil(t, d.Event.Payload)
}
