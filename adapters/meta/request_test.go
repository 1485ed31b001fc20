package meta_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/meta"
	"relay/internal/relay"
)

func TestRequestHoldsNeitherTheEventsOwnNameNorItsID(t *testing.T) {
	t.Parallel()
	for _, c := range adaptertest.Load(t, "testdata") {
		r, err := meta.Adapter{}.Request(c.Destination, c.Event)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no, c.Name)
			require.Zero(t, r, c.Name)
			continue
		}
		require.NotContains(t, strings.ToLower(string(r.Body)), c.Event.Type, c.Name)
		require.NotContains(t, string(r.Body), c.Event.EventID+":", c.Name)
		require.Contains(t, string(r.Body), `"event_id":"`+c.Event.DedupID()+`"`, c.Name)
		for _, secret := range c.Destination.Secrets {
			require.NotContains(t, r.URL+string(r.Body), secret.Reveal(), c.Name)
		}
	}
}

func TestCheckNamesTheSetting(t *testing.T) {
	t.Parallel()
	valid := func() relay.Destination {
		return relay.Destination{Settings: map[string]string{"pixel_id": "123"}, Secrets: map[string]relay.Secret{"access_token": relay.NewSecret("t")}}
	}
	require.NoError(t, meta.Adapter{}.Check(valid()))
	for field, spoil := range map[string]func(*relay.Destination){
		"pixel_id":        func(d *relay.Destination) { d.Settings["pixel_id"] = "1/2" },
		"access_token":    func(d *relay.Destination) { d.Secrets["access_token"] = relay.NewSecret("a b") },
		"test_event_code": func(d *relay.Destination) { d.Settings["test_event_code"] = "<b>" },
		"api_base_url":    func(d *relay.Destination) { d.Settings["api_base_url"] = "graph.facebook.com" },
		"identifiers":     func(d *relay.Destination) { d.Options.Identifiers = "all" },
	} {
		d := valid()
		spoil(&d)
		require.ErrorContains(t, meta.Adapter{}.Check(d), field+": ")
		_, err := meta.Adapter{}.Request(d, relay.Event{Type: "purchase_completed"})
		var no *relay.Refusal
		require.ErrorAs(t, err, &no)
		require.Equal(t, relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, *no)
	}
}

func TestAnUndefinedClickIDIsNotSent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	d := relay.Destination{
		Settings: map[string]string{"pixel_id": "123"}, Secrets: map[string]relay.Secret{"access_token": relay.NewSecret("t")},
		Options: relay.Options{Identifiers: "hashed"},
	}
	for _, payload := range []string{`{"fbclid":"undefined"}`, `{"fbc":"fb.1.1795420800000.undefined"}`, `{"_fbc":"fb.1.1795420800000.null"}`, `{"fbclid":"0000"}`} {
		p, err := relay.ParsePayload([]byte(payload))
		require.NoError(t, err)
		_, err = meta.Adapter{}.Request(d, relay.Event{EventID: "o", Type: "consult_started", Payload: p, CreatedAt: now, Now: now})
		require.Equal(t, relay.Refuse(relay.ReasonMissingField, "email, phone, external_id, fbc, fbp or client_ip"), err, payload)
	}
}

// FuzzRequest puts anything at all into any field of a full payload.
func FuzzRequest(f *testing.F) {
	var full relay.Payload
	for _, c := range adaptertest.Load(f, "testdata") {
		if c.Name == "purchase_full" {
			full = c.Event.Payload
		}
	}
	for field, value := range full {
		f.Add(field, []byte(value), "purchase_completed", true)
	}
	f.Add("items", []byte(`[{"id":1,"price":"-0","quantity":"1e2"},{"sku":"b","price":1e400}]`), "rx_issued", true)
	f.Add("order_revenue", []byte(`"1e5"`), "rx_issued", false)
	f.Add("fbclid", []byte(`"AbC"`), "x", true)
	f.Fuzz(func(t *testing.T, field string, value []byte, name string, hashed bool) {
		p := maps.Clone(full)
		p[field] = value
		if !json.Valid(value) {
			p[field], _ = json.Marshal(string(value)) // a string always marshals
		}
		now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		d := relay.Destination{
			Settings: map[string]string{"pixel_id": "123"}, Secrets: map[string]relay.Secret{"access_token": relay.NewSecret("t")},
			Options: relay.Options{SendIP: true, SendUserAgent: true, Events: map[string]relay.EventRule{name: {Name: "Lead"}}},
		}
		if hashed {
			d.Options.Identifiers = "hashed"
		}
		e := relay.Event{EventID: "row-0", Type: name, Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
			Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", BaseURL: "https://bosley.example", DataPolicy: relay.DataPolicyStandard}}
		r, err := meta.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		var b struct {
			Data []struct {
				EventID   string         `json:"event_id"`
				EventTime int64          `json:"event_time"`
				UserData  map[string]any `json:"user_data"`
				Custom    struct {
					Value    *float64 `json:"value"`
					Currency string   `json:"currency"`
				} `json:"custom_data"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(r.Body, &b))
		require.Len(t, b.Data, 1)
		require.Len(t, b.Data[0].EventID, 32)
		require.LessOrEqual(t, b.Data[0].EventTime, now.Unix())
		require.Greater(t, b.Data[0].EventTime, now.Add(-7*24*time.Hour).Unix())
		require.Equal(t, b.Data[0].Custom.Value == nil, b.Data[0].Custom.Currency == "")
		require.NotContains(t, string(r.Body), "e3b0c44298fc1c14")
		for key, v := range b.Data[0].UserData {
			if list, ok := v.([]any); ok {
				require.Regexp(t, `^[0-9a-f]{64}$`, list[0], key)
			}
			if !hashed {
				require.Contains(t, []string{"client_ip_address", "client_user_agent"}, key)
			}
		}
	})
}
