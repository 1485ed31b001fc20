package measurement_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func event(t *testing.T, payload string) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(payload))
	require.NoError(t, err)
	return relay.Event{EventID: "order_1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", DataPolicy: relay.DataPolicyStandard}}
}

// container builds as the container's GA4 client does.
func container(t *testing.T, e relay.Event, o relay.Options) (measurement.Body, *canonical.Fields) {
	t.Helper()
	d := relay.Destination{Options: o, Settings: map[string]string{"measurement_id": "G-BOSLEY1"}}
	f, err := canonical.Open(d, e, canonical.Rules{Names: measurement.Names, Consent: canonical.Consent.Analytics, Restricts: true, Container: true})
	require.NoError(t, err)
	b, err := measurement.Build(f, d, e, nil, o.Allow...)
	require.NoError(t, err)
	return b, f
}

func TestAContainerGetsTheSchemaAndTheAllowedFields(t *testing.T) {
	t.Parallel()
	e := event(t, `{"order_id":"order_1","order_revenue":80.79,"session_id":"s_1","gclid":"AbC","utm_source":"google","vip":true,"tier":3,
		"color":"red","note":"jane@example.com","list":[1],"patient_name":"Jane","mobile":"4155550132","email":"jane@example.com"}`)
	b, f := container(t, e, relay.Options{})
	text, err := json.Marshal(b)
	require.NoError(t, err)
	require.NotContains(t, string(text), "Jane")
	require.NotContains(t, string(text), "415")
	require.Equal(t, "s_1", b.ClientID, "without options.identifiers")
	require.JSONEq(t, `"AbC"`, string(b.Events[0].Params["gclid"]))
	require.Equal(t, []string{"color", "email", "list", "mobile", "note", "patient_name", "tier", "vip"}, f.Dropped())
	b, f = container(t, e, relay.Options{Allow: []string{"vip", "tier", "color", "note", "list", "email", "order_id", "utm_source"}})
	p := b.Events[0].Params
	require.Equal(t, []string{"true", "3", `"red"`, `"google"`}, []string{string(p["vip"]), string(p["tier"]), string(p["color"]), string(p["utm_source"])})
	require.Equal(t, []string{"email", "list", "mobile", "note", "patient_name"}, f.Dropped())
	require.Nil(t, p["order_id"])
}

func TestAContainerGetsUnmappedEventsUnderTheirOwnName(t *testing.T) {
	t.Parallel()
	e := event(t, `{}`)
	e.Type = "rx_issued"
	b, _ := container(t, e, relay.Options{})
	require.Equal(t, "rx_issued", b.Events[0].Name)
	d := relay.Destination{Options: relay.Options{Events: map[string]relay.EventRule{"rx_issued": {Skip: true}}}}
	_, err := canonical.Open(d, e, canonical.Rules{Container: true})
	require.Equal(t, relay.Skip(relay.ReasonEventSkipped), err)
}

func TestSchemaFieldsTakePrecedenceOverExtraFields(t *testing.T) {
	t.Parallel()
	var extra []string
	payload := `{"order_id":"1","order_revenue":1,"utm_source":"google"`
	for i := range 30 {
		name := "x" + strings.Repeat("y", i)
		extra = append(extra, name)
		payload += `,"` + name + `":1`
	}
	b, f := container(t, event(t, payload+"}"), relay.Options{Allow: extra})
	require.Len(t, b.Events[0].Params, 25)
	require.NotNil(t, b.Events[0].Params["utm_source"])
	require.Contains(t, f.Dropped(), extra[29])
}
